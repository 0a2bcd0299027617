"""The point-in-time join: ours on the embedded engine against Apache Spark and plain ASOF joins.

A spine of --rows decisions looks up three feature tables in time, each of --rows/10 customers × 20
versions with two features, from the same Parquet files; the result is written as Parquet. Peers:
our own join's frame on Apache Spark local[2], and, as the lower bound of what a plain merge takes,
DuckDB's ASOF join and polars' join_asof. Each runs in a process of its own, so that its peak memory
is its own. The limit is 3 × the faster of the two bounds. The default is a tenth of what issue 4
names (10,000,000 rows, 1,000,000 customers): say --rows 10000000 for that. Checks that all agree.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = 1_000_000
TABLES, VERSIONS, GROUP = 3, 20, 1_000_000
START, DAY = 1_767_225_600_000_000, 86_400_000_000  # microseconds
LIMIT = 3.0


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--side", choices=sorted(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(one(given.side, given.folder)))
        return 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder, given.rows)
        told = {side: apart(side, folder) for side in SIDES}
    for side, each in told.items():
        print(f"{side:7} {each['seconds']:7.1f} s, peak {each['memory']:,.0f} MiB")
    bound = min(told["duckdb"]["seconds"], told["polars"]["seconds"])
    ratio = told["ours"]["seconds"] / bound
    print(f"rows    {given.rows:,} × {TABLES} tables of {given.rows * 2:,} rows")
    print(
        f"ratio   {told['spark']['seconds'] / told['ours']['seconds']:.1f} × Apache Spark's speed"
    )
    print(f"ratio   {ratio:.2f} × the lower bound's time; limit {LIMIT:g}")
    sums = {tuple(each["sums"]) for each in told.values()}
    print(f"agree   {len(sums) == 1}")
    return 0 if ratio <= LIMIT and len(sums) == 1 else 1


def make(folder: Path, rows: int) -> None:
    """The spine and the feature tables, in no order, as Parquet."""
    rng = np.random.default_rng(1)
    customers = rows // 10
    spine = {
        "customer_id": rng.integers(0, customers, rows),
        "decided_at": _time(rng.integers(0, 400 * DAY, rows)),
        "decision": np.arange(rows),
    }
    pq.write_table(pa.table(spine), folder / "spine.parquet", row_group_size=GROUP)
    for number in range(TABLES):
        order = rng.permutation(customers * VERSIONS)
        age = (order % VERSIONS) * 20 * DAY + rng.integers(0, 20 * DAY, len(order))
        table = {
            "customer_id": order // VERSIONS,
            "as_of": _time(age),
            f"amount_{number}": rng.integers(0, 1_000, len(order)) / 8,  # sums are exact
            f"count_{number}": rng.integers(0, 100, len(order)),
        }
        file = folder / f"features_{number}.parquet"
        pq.write_table(pa.table(table), file, row_group_size=GROUP)


def _time(micros: np.ndarray) -> pa.Array:
    return pa.array(START + micros, pa.timestamp("us", "UTC"))


def apart(side: str, folder: Path) -> dict[str, Any]:
    """One side in a process of its own."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("SPARK_")}
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=plain)
    return json.loads(done.stdout.splitlines()[-1])


def one(side: str, folder: Path) -> dict[str, Any]:
    """Seconds from files to file, peak MiB, and sums to compare."""
    out = folder / f"out_{side}"
    seconds = SIDES[side](folder, out)
    found = ds.dataset(out).to_table()
    names = [f"{kind}_{n}" for kind in ("amount", "count") for n in range(TABLES)]
    sums = [found.num_rows, *[pc.sum(found[name]).as_py() for name in names]]
    return {"seconds": seconds, "memory": _peak(), "sums": sums}


def _peak() -> float:
    """Peak resident MiB of this process and of what it started (Spark's engine is one)."""
    total, pending = 0, [os.getpid()]
    while pending:
        process = Path("/proc", str(pending.pop()))
        told = re.findall(r"VmHWM:\s+(\d+)", (process / "status").read_text())
        total += sum(map(int, told))  # none of a process that has ended
        for children in process.glob("task/*/children"):
            pending += [int(child) for child in children.read_text().split()]
    return total / 1024


def _frames(spark: SparkSession, folder: Path, out: Path) -> float:
    """Our join, on whichever engine."""
    from nextbest.platforms import Lookup
    from nextbest.platforms.local.feature_steps import FeatureTable, spelt_out
    from nextbest.platforms.local.point_in_time import join

    begin = time.perf_counter()
    frame = spark.read.parquet(str(folder / "spine.parquet"))
    for number in range(TABLES):
        table = spark.read.parquet(str(folder / f"features_{number}.parquet"))
        name = f"features_{number}"
        declared = FeatureTable(name, ("customer_id",), "as_of", dict(table.dtypes))
        lookup = Lookup(name, ("customer_id",), "decided_at")
        frame = join(frame, table, spelt_out(lookup, declared))
    frame.write.parquet(str(out))
    return time.perf_counter() - begin


def ours(folder: Path, out: Path) -> float:
    """The embedded engine."""
    from nextbest.platforms.local.session import open_session

    return _frames(open_session(folder / "home", ["c.s"]), folder, out)


def apache(folder: Path, out: Path) -> float:
    """Apache Spark local[2]."""
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "6g")
        .config("spark.sql.shuffle.partitions", "16")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    return _frames(spark, folder, out)


def duckdb_asof(folder: Path, out: Path) -> float:
    """DuckDB's own ASOF join."""
    import duckdb

    out.mkdir()
    joins = "".join(
        f" ASOF LEFT JOIN '{folder}/features_{n}.parquet' f{n}"
        f" ON s.customer_id = f{n}.customer_id AND s.decided_at >= f{n}.as_of"
        for n in range(TABLES)
    )
    names = ", ".join(f"amount_{n}, count_{n}" for n in range(TABLES))
    begin = time.perf_counter()
    duckdb.sql(
        f"COPY (SELECT s.*, {names} FROM '{folder}/spine.parquet' s{joins}) "
        f"TO '{out}/all.parquet' (FORMAT parquet)"
    )
    return time.perf_counter() - begin


def polars_asof(folder: Path, out: Path) -> float:
    """A sort and polars' join_asof."""
    import polars

    out.mkdir()
    begin = time.perf_counter()
    frame = polars.read_parquet(folder / "spine.parquet").sort("decided_at")
    for n in range(TABLES):
        table = polars.read_parquet(folder / f"features_{n}.parquet").sort("as_of")
        frame = frame.join_asof(
            table, left_on="decided_at", right_on="as_of", by="customer_id",
            check_sortedness=False,
        ).drop("as_of", strict=False)  # fmt: skip
    frame.write_parquet(out / "all.parquet")
    return time.perf_counter() - begin


SIDES = {"ours": ours, "spark": apache, "duckdb": duckdb_asof, "polars": polars_asof}


if __name__ == "__main__":
    sys.exit(main())
