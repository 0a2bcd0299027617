"""Run pure functions on Apache Spark, in a process of its own, for one folder per line of stdin.

FOLDER/calls.pickle holds [(function, names of the parameters that are frames, options)]; each
frame stands in FOLDER/<call>-<parameter>.parquet. FOLDER/results.pickle gets a list of results,
frames as Arrow tables; then the folder's name is printed.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path


def told(result):
    """A result that can leave the engine: frames as Arrow tables, tuples part by part."""
    if isinstance(result, tuple):
        return tuple(told(part) for part in result)
    return result.toArrow() if hasattr(result, "toArrow") else result


def run(spark, folder):
    """Make every call of a folder; a list of results."""
    results = []
    for number, call in enumerate(pickle.loads((folder / "calls.pickle").read_bytes())):
        function, parameters, options = call
        frames = {
            name: spark.read.parquet(str(folder / f"{number}-{name}.parquet"))
            for name in parameters
        }
        results.append(told(function(**frames, **options)))
    return results


if __name__ == "__main__":
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")  # it lives briefly
        .config("spark.sql.warehouse.dir", sys.argv[1])
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    for line in sys.stdin:
        folder = Path(line.rstrip("\n"))
        (folder / "results.pickle").write_bytes(pickle.dumps(run(spark, folder)))
        print(folder, flush=True)
