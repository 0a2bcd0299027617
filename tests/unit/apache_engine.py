"""Run pure functions on Apache Spark, in a process of its own: python apache_engine.py FOLDER.

FOLDER/calls.pickle holds [(function, names of the parameters that are frames, options)]; each
frame stands in FOLDER/<call>-<parameter>.parquet, each result goes to FOLDER/<call>.parquet.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pyarrow.parquet as pq

if __name__ == "__main__":
    from pyspark.sql import SparkSession

    folder = Path(sys.argv[1])
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")  # it lives briefly
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    calls = pickle.loads((folder / "calls.pickle").read_bytes())
    for number, (function, parameters, options) in enumerate(calls):
        frames = {
            name: spark.read.parquet(str(folder / f"{number}-{name}.parquet"))
            for name in parameters
        }
        pq.write_table(function(**frames, **options).toArrow(), folder / f"{number}.parquet")
