"""The online store: publishing a million keys, reading any of them, publishing what changed.

Ours is the local online store (sqlite) fed by the embedded engine from a Delta feature table. The
peer is LMDB with the same rows packed by `struct`, which is as small and quick as an embedded
store gets; DuckDB by an index, and a dict in memory as the lower bound, are told beside it. Each
answers the same random keys, one at a time, with a dict of features. Peers are only written to
(from Arrow in memory): ours also reads the table and finds the latest rows. Then 1 % of the keys
get a new row. Exits 1 when a read's p50 or p99 is not below a millisecond, when the second publish
writes other than the changed keys, or when any store answers otherwise. Needs group `peers`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import lmdb
import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from nextbest.platforms.local import online_database, online_store
from nextbest.platforms.local.online_reader import OnlineTable
from nextbest.platforms.local.session import open_session

TABLE = "bench.nba.features"
FEATURES = [f"f{number}" for number in range(8)]
READS = 100_000
SLOW_READS = 5_000  # of DuckDB, which is made for other questions
LIMIT = 1e-3
PACKED = struct.Struct(f"<q{len(FEATURES)}d")
Read = Callable[[str], dict[str, Any]]


def main(keys: int) -> int:
    """Measure and print; returns the exit code."""
    changed = keys // 100
    asked = [f"c{number}" for number in np.random.default_rng(1).integers(0, keys, READS)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        spark = open_session(home, ["bench.nba"])
        append(spark, 0, keys, 1, day=1)
        before = peak()
        first, seconds = timed(lambda: publish(spark, home))
        again, nothing = timed(lambda: publish(spark, home))
        append(spark, 0, keys, 100, day=2)
        second, incremental = timed(lambda: publish(spark, home))
        memory = peak()
        size = online_database.path(home, TABLE).stat().st_size / 2**20
        rows = spark.table(TABLE).where("as_of = TIMESTAMP '2026-01-01'").drop("as_of").toArrow()
        online = OnlineTable(home, TABLE)
        in_memory, to_dict = timed(lambda: as_dict(rows))
        in_lmdb, to_lmdb = timed(lambda: as_lmdb(rows, home / "lmdb"))
        in_duckdb, to_duckdb = timed(lambda: as_duckdb(rows, home / "peer.duckdb"))
        stores: dict[str, tuple[Read, Sequence[str]]] = {
            "ours": (lambda key: online.read([{"customer_id": key}])[0], asked),
            "lmdb": (in_lmdb, asked),
            "duckdb": (in_duckdb, asked[:SLOW_READS]),
            "dict": (in_memory, asked),
        }
        told = {name: quantiles(read, names) for name, (read, names) in stores.items()}
        same = [key for key in asked[:1_000] if int(key[1:]) % 100]
        agree = all(
            {name: online.read([{"customer_id": key}])[0][name] for name in FEATURES}
            == in_lmdb(key) == in_duckdb(key) == in_memory(key)
            for key in same
        )  # fmt: skip
    wrote = (first.written, again.written, second.written) == (keys, 0, changed)
    p50, p99 = told["ours"]
    print(f"ours   publish {keys:,} keys: {seconds:.1f} s, {keys / seconds:,.0f} keys/s, "
          f"{size:,.0f} MiB on disk")  # fmt: skip
    print(f"       publish again, nothing changed: {nothing:.2f} s, {again.written} written")
    print(
        f"       publish {changed:,} changed keys: {incremental:.2f} s, {second.written:,} written"
    )
    for name, took in (("lmdb", to_lmdb), ("duckdb", to_duckdb), ("dict", to_dict)):
        print(f"{name:<6} writing the same rows from memory: {took:.1f} s")
    for name, (middle, high) in told.items():
        reads = len(stores[name][1])
        print(
            f"{name:<6} {reads:,} random keys: p50 {middle * 1e6:.1f} µs, p99 {high * 1e6:.1f} µs"
        )
    print(f"limit  p50 and p99 of ours below {LIMIT * 1e6:,.0f} µs")
    print(f"ratio  p50 {p50 / told['lmdb'][0]:.1f} × lmdb, {p50 / told['dict'][0]:.1f} × dict, "
          f"{p50 / told['duckdb'][0]:.3f} × duckdb; changed keys "
          f"{seconds / incremental:.1f} × quicker than all")  # fmt: skip
    print(f"memory peak {memory:,.0f} MiB after publishing, of it {before:,.0f} MiB before")
    print(f"agree  {agree}, written as they should be: {wrote}")
    return 0 if max(p50, p99) < LIMIT and wrote and agree else 1


def append(spark: Any, start: int, end: int, step: int, day: int) -> None:
    """A row for each of these keys, as of this day."""
    numbers = spark.range(start, end, step)
    values = [(F.col("id") * 0.5 + at + day).alias(name) for at, name in enumerate(FEATURES)]
    frame = numbers.select(
        F.concat(F.lit("c"), F.col("id").cast("string")).alias("customer_id"),
        F.lit(dt.datetime(2026, 1, day)).alias("as_of"),
        *values,
    )
    frame.write.format("delta").mode("append").saveAsTable(TABLE)


def publish(spark: Any, home: Path) -> Any:
    """Publish the table as it stands."""
    return online_store.publish(spark, home, TABLE, ["customer_id"], "as_of")


def as_dict(rows: pa.Table) -> Read:
    """The lower bound: everything in the memory of one process."""
    columns = [rows[name].to_pylist() for name in FEATURES]
    kept = dict(zip(rows["customer_id"].to_pylist(), zip(*columns, strict=True), strict=True))
    return lambda key: dict(zip(FEATURES, kept[key], strict=True))


def as_lmdb(rows: pa.Table, folder: Path) -> Read:
    """One transaction of packed rows in the order of their keys."""
    rows = rows.sort_by("customer_id")
    columns = [rows[name].to_pylist() for name in FEATURES]
    packed = (PACKED.pack(0, *values) for values in zip(*columns, strict=True))
    names = (name.encode() for name in rows["customer_id"].to_pylist())
    database = lmdb.open(str(folder), map_size=2**33)
    with database.begin(write=True) as writing:
        writing.cursor().putmulti(zip(names, packed, strict=True), append=True)

    def read(key: str) -> dict[str, Any]:
        with database.begin(buffers=True) as reading:
            values = PACKED.unpack(reading.get(key.encode()))
        return dict(zip(FEATURES, values[1:], strict=True))

    return read


def as_duckdb(rows: pa.Table, file: Path) -> Read:
    """A table with a primary key, asked by a prepared statement."""
    database = duckdb.connect(str(file))
    columns = ", ".join(f"{name} DOUBLE" for name in FEATURES)
    database.execute(f"CREATE TABLE kept (customer_id VARCHAR PRIMARY KEY, {columns})")
    database.register("rows", rows)
    database.execute("INSERT INTO kept SELECT * FROM rows")
    statement = f"SELECT {', '.join(FEATURES)} FROM kept WHERE customer_id = ?"
    return lambda key: dict(
        zip(FEATURES, database.execute(statement, [key]).fetchone(), strict=True)
    )


def quantiles(read: Read, keys: Sequence[str]) -> tuple[float, float]:
    """p50 and p99 of reading these keys one at a time, in seconds."""
    took = np.empty(len(keys))
    for at, key in enumerate(keys):
        begin = time.perf_counter()
        read(key)
        took[at] = time.perf_counter() - begin
    return float(np.quantile(took, 0.5)), float(np.quantile(took, 0.99))


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call gives, and its seconds."""
    begin = time.perf_counter()
    result = call()
    return result, time.perf_counter() - begin


def peak() -> float:
    """Peak memory of this process, the engine in it, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000, help="how many keys to publish")
    sys.exit(main(parser.parse_args().keys))
