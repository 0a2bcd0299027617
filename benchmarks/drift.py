"""Drift of 1M rows × 20 columns against a reference of as many: ours and Evidently's, in one run.

Ours folds both data frames into sketches, as monitors do, and judges them as notebook 07 does; the
peer's DataDriftPreset runs with its own defaults and once more by its stability index, in the
environment of `make bench-learning`. Prints seconds of processor time, all threads, and those on
the clock (ours: median of three), the ratios and the limit, whether both see the planted drifts and
nothing else, what a day costs when 30 days are there, and peak memory at 1M and 4M rows. Exits 1
when the ratio of processor time (the clock's depends on what else the machine does) is below the
limit, a verdict of ours or of the peer's defaults is wrong, a day costs over 1.5 times its own
pass, or memory grows by a fifth.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from drift_data import COLUMNS, DRIFTED, ROWS, SCHEMA, make

from nextbest.monitoring import folding
from nextbest.monitoring.arrow_tables import table_parts
from nextbest.monitoring.drift import drift_rows
from nextbest.monitoring.folding import Parts, fold
from nextbest.monitoring.profile import TABLE
from nextbest.monitoring.verdict import judge_drift

LIMIT = 50.0
PEER = Path(".venv-bench/bin/python")
HERE = Path(__file__).parent


def main() -> int:
    """Measure and print; returns the exit code."""
    if not PEER.exists():
        sys.exit("the peer's environment is missing: make bench does this by itself")
    now, base = make(1, drifted=True), make(2)
    seconds, clock, found = timed(lambda: judged(now, base))
    print(
        f"ours   {seconds:7.2f} s ({clock:.2f} on the clock)  fold both frames, compare, judge; "
        f"drifted: {named(found)}"
    )
    passed = found == DRIFTED
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in (("now", now), ("base", base)):
            frame.to_parquet(f"{folder}/{name}.parquet")
        ratios = {}
        for method in ("default", "psi"):
            peer = told(PEER, HERE / "drift_peer.py", folder, method)
            ratios[method] = peer["seconds"] / seconds, peer["clock"] / clock
            same = set(peer["drifted"]) == DRIFTED
            passed &= same or method != "default"  # by its index it misses a share of zeros
            print(
                f"peer   {peer['seconds']:7.2f} s ({peer['clock']:.2f} on the clock)  Evidently "
                f"{peer['version']}, DataDriftPreset, {method}; "
                f"{'the same columns' if same else named(peer['drifted'])}"
            )
    for method, (ratio, on_clock) in ratios.items():
        limit = f", limit {LIMIT:g}" * (method == "default")
        print(f"ratio  {ratio:7.1f} ({on_clock:.1f} on the clock)  {method}{limit}")
    passed &= ratios["default"][0] >= LIMIT
    passed &= report_day(now)
    passed &= report_memory()
    return 0 if passed else 1


def judged(now: pd.DataFrame, base: pd.DataFrame) -> set[str]:
    """Columns that drifted, from the data frames on."""
    sides = [parts(pa.Table.from_pandas(frame, preserve_index=False)) for frame in (now, base)]
    window = {group._replace(start=0, end=1): part for group, part in sides[0].items()}
    rows = pd.DataFrame(list(drift_rows(window, sides[1], "1 day")))
    return {
        found.column
        for found in judge_drift(rows[rows["column_name"] != TABLE], COLUMNS, 0.2).findings
    }


def parts(table: pa.Table) -> Parts:
    """All rows in one window, of no model."""
    return table_parts(table, columns=COLUMNS)


def report_day(now: pd.DataFrame) -> bool:
    """What the 31st day costs beside 30 stored ones, and the month as one window."""
    table = pa.Table.from_pandas(now, preserve_index=False)
    day = {0: parts(table)}
    group = next(iter(day[0]))
    month = {at: {group: day[0][group]} for at in range(30)}
    alone, _, _ = timed(lambda: parts(table))

    def added() -> Parts:
        new = parts(table)
        several = [each[group] for each in month.values()] + [new[group]]
        return {group: folding.merged(several)}

    seconds, _, whole = timed(added)
    held = whole[group].rows == 31 * ROWS
    print(
        f"day    {seconds:7.2f} s  1M rows folded and added up with 30 stored days of 1M; "
        f"{alone:.2f} s of it for the day alone, limit 1.5 times that"
    )
    return held and seconds <= 1.5 * alone


def report_memory() -> bool:
    """Peak memory of folding 1M and 4M rows from a file, each in a process of its own."""
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        for million in (1, 4):
            file = Path(folder, f"{million}.parquet")
            with pq.ParquetWriter(file, SCHEMA) as writer:
                for seed in range(million):
                    frame = make(seed)
                    table = pa.Table.from_pandas(frame, SCHEMA, preserve_index=False)
                    writer.write_table(table, row_group_size=2**17)
            peaks[million] = told(sys.executable, __file__, "--fold", file)["megabytes"]
            print(f"memory {peaks[million]:7.0f} MB peak of folding {million}M rows of a file")
    return peaks[4] <= 1.2 * peaks[1]


def fold_file(file: str) -> None:
    """Fold a Parquet file batch by batch; prints what the process held at most."""
    numeric = frozenset(name for name in COLUMNS if SCHEMA.field(name).type == pa.float64())
    kinds = {name: "double" if name in numeric else "string" for name in COLUMNS}
    # Without reading ahead, which would hold the whole file.
    batches = pq.ParquetFile(file, pre_buffer=False).iter_batches(2**16)
    found = fold(batches, folding.Plan(kinds, numeric, None, models=False), 2**18)
    # Of this program alone: ru_maxrss would still be that of the process which started it.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({"megabytes": peak, "rows": sum(part.rows for part in found.values())}))


def timed(work: Callable) -> tuple[float, float, object]:
    """Median seconds of three, of processor and clock, after one to warm up; and what came out."""
    found, taken = work(), []
    for _ in range(3):
        begin = time.process_time(), time.perf_counter()
        found = work()
        taken.append((time.process_time() - begin[0], time.perf_counter() - begin[1]))
    seconds, clock = (statistics.median(each) for each in zip(*taken, strict=True))
    return seconds, clock, found


def told(*command: object) -> dict:
    """The JSON that a program prints last."""
    result = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{command[1]} ended with {result.returncode}:\n{result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])


def named(columns: object) -> str:
    """Column names in order."""
    return ", ".join(sorted(columns)) or "none"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fold"]:
        fold_file(sys.argv[2])
    else:
        sys.exit(main())
