"""Our pure stage functions on the embedded engine against Apache Spark `local[2]`, in one run.

Features over 5M interactions, decisions over 5M customer-treatment pairs and a profile of 5M
rows: the same functions read the same Parquet files, in a process per engine, after a warm-up on
the first rows. Times are medians of three; the profile, minutes on the peer, runs once. Prints
seconds and ratios, the limit for the ratio of the sums, and the peak memory of each engine's
processes (the JVM's and the Python workers' too). Exits 1 below the limit, or when the engines'
results differ.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from engine_inputs import (
    AS_OF,
    CHANNELS,
    DECIDED,
    DECISIONS,
    EVENTS,
    NUMBERS,
    OFFERS,
    OUTCOMES,
    PROFILED,
    actions_table,
    write_inputs,
)
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.eligibility import with_eligible
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.features.customer import customer_features
from nextbest.inference.batch import recommend
from nextbest.monitoring.profile import profile

LIMIT = 5.0
NAMES = {"sail": "ours", "spark": "Apache Spark local[2]"}


def main() -> int:
    """Measure both engines and print; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder))
        sail, spark = (measure(name, folder) for name in ("sail", "spark"))
    print(f"{'function':<28}{'rows':>12}{'ours s':>9}{'peer s':>9}{'ratio':>8}")
    for name, rows in ROWS.items():
        one, other = sail["seconds"][name], spark["seconds"][name]
        print(f"{name:<28}{rows:>12,}{one:>9.2f}{other:>9.2f}{other / one:>8.1f}")
    ours, peer = (sum(found["seconds"].values()) for found in (sail, spark))
    print(f"{'total':<28}{'':>12}{ours:>9.2f}{peer:>9.2f}{peer / ours:>8.1f}")
    print(f"ours   embedded engine        peak {sail['peak']:.0f} MiB")
    print(f"peer   Apache Spark local[2]  peak {spark['peak']:.0f} MiB (JVM heap 8 GiB)")
    print(f"ratio  {peer / ours:.2f}, limit {LIMIT:g}")
    wrong = differences(sail["sums"], spark["sums"])
    for line in wrong:
        print(f"results differ: {line}")
    return 0 if peer / ours >= LIMIT and not wrong else 1


def measure(engine: str, folder: str) -> dict[str, Any]:
    """Run one engine in a process of its own: {seconds and sums per function, peak MiB}."""
    command = [sys.executable, __file__, "--engine", engine, "--inputs", folder]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "TZ": "UTC"}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.3)
        told = process.stdout.read()
        if process.returncode:
            log.seek(0)
            sys.exit(f"{NAMES[engine]} ended with {process.returncode}:\n{told}{log.read()}")
    return {**json.loads(told.splitlines()[-1]), "peak": peak}


def resident(root: int) -> float:
    """Resident memory of a process and all below it, MiB."""
    listed = subprocess.run(["ps", "-Ao", "pid=,ppid=,rss="], capture_output=True, text=True)
    rows = [[int(word) for word in line.split()] for line in listed.stdout.splitlines()]
    tree, total = {root}, 0
    for pid, parent, size in sorted(rows):
        if pid in tree or parent in tree:
            tree.add(pid)
            total += size
    return total / 1024


def differences(ours: dict[str, list[float]], peer: dict[str, list[float]]) -> list[str]:
    """Functions whose sums are not the same to 1e-9."""
    return [
        f"{name}: ours {ours[name]}, peer {peer[name]}"
        for name in ours
        if len(ours[name]) != len(peer[name])
        or not all(
            math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
            for one, other in zip(ours[name], peer[name], strict=True)
        )
    ]


def run_engine(engine: str, folder: Path) -> None:
    """Time every function on one engine; the last line printed is the result as JSON."""
    spark = open_sail(folder) if engine == "sail" else open_spark(folder)
    names = ("spine", "customers", "deciding", "interactions", "decisions", "outcomes", "log")
    tables = {name: spark.read.parquet(str(folder / f"{name}.parquet")) for name in names}
    warm = {name: frame.limit(20_000) for name, frame in tables.items()}
    seconds, sums = {}, {}
    for name, function in FUNCTIONS.items():
        function(warm)  # imports, workers, generated code
        taken = []
        for _ in range(1 if name == "profile" else 3):  # minutes on the peer
            begin = time.perf_counter()
            sums[name] = function(tables)
            taken.append(time.perf_counter() - begin)
            print(engine, name, f"{taken[-1]:.2f}", flush=True)
        seconds[name] = statistics.median(taken)
    print(json.dumps({"seconds": seconds, "sums": sums}))


def open_sail(folder: Path) -> SparkSession:
    """The embedded engine as the local platform opens it."""
    from nextbest.platforms.local.session import open_session

    return open_session(folder / "lakehouse", ["bench.bench"])


def open_spark(folder: Path) -> SparkSession:
    """Apache Spark in its classic form, with room and settings that suit two cores."""
    settings = {
        "spark.driver.memory": "8g",
        "spark.driver.extraJavaOptions": "-XX:+UseG1GC",
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def add_up(frame: DataFrame) -> list[float]:
    """Rows, and the sum of every number and of the length of every text or array."""
    sums = []
    for name, kind in frame.dtypes:
        if kind in ("double", "bigint", "int"):
            sums.append(F.sum(F.col(name).cast("double")))
        elif kind == "boolean":
            sums.append(F.sum(F.col(name).cast("int")))
        elif kind == "string":
            sums.append(F.sum(F.length(name)))
        elif kind.startswith("array"):
            sums.append(F.sum(F.size(name)))
    row = frame.agg(F.count(F.lit(1)), *sums).collect()[0]
    return [float(value or 0) for value in row]


def features(tables: Mapping[str, DataFrame]) -> list[float]:
    """features.customer.customer_features for 400,000 customers of one day."""
    names = ("spine", "customers", "interactions", "decisions", "outcomes")
    return add_up(customer_features(*[tables[name] for name in names]))


def decide(tables: Mapping[str, DataFrame]) -> list[float]:
    """decisions.eligibility.with_eligible, then inference.batch.recommend."""
    actions = actions_table()
    heads = (Head("response", "response", margin_value, needs_contact=True),)
    recommended = recommend(
        with_eligible(tables["deciding"], actions, AS_OF),
        Decider(
            NumpyScorer(),
            Treatments.from_frame(actions),
            Arbitration(heads),
            Policy("bench", "1", epsilon=0.1, control_share=0.1),
        ),
        as_of=AS_OF,
        seed=1,
        use_case="bench",
        model_version="1",
    )
    return add_up(recommended)


def watch(tables: Mapping[str, DataFrame]) -> list[float]:
    """monitoring.profile.profile of an inference log, by day."""
    watched = [name for name in tables["log"].columns if name not in ("at", "model_version")]
    metrics = profile(
        tables["log"], timestamp="at", columns=watched, model_id="model_version", log_type="INPUT"
    )
    # The median comes from sketches of partitions, which engines cut in places of their own.
    return add_up(metrics.drop("median"))


FUNCTIONS: dict[str, Callable[[Mapping[str, DataFrame]], list[float]]] = {
    "customer_features": features,
    "with_eligible + recommend": decide,
    "profile": watch,
}
ROWS = {
    "customer_features": EVENTS + DECISIONS + OUTCOMES,
    "with_eligible + recommend": DECIDED * (1 + OFFERS * len(CHANNELS)),
    "profile": PROFILED,
}


@dataclass(frozen=True)
class NumpyScorer:
    """A model that costs next to nothing: one logistic curve per treatment."""

    features: tuple[str, ...] = NUMBERS

    def predict_matrix(
        self, customers: pd.DataFrame, treatments: Treatments, eligible: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        x = customers[list(self.features)].to_numpy(dtype=float)
        weights = np.sin(np.arange(1, x.shape[1] * len(treatments) + 1)).reshape(x.shape[1], -1)
        p = 1 / (1 + np.exp(2 - x @ weights))
        p[:, treatments.is_none] = 0.0
        return {"response": p if eligible is None else np.where(eligible, p, np.nan)}


def margin_value(customers: pd.DataFrame, treatments: Treatments) -> np.ndarray:
    """Money of a response."""
    return customers["monthly_margin"].to_numpy(dtype=float)[:, None] * treatments.value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=sorted(NAMES), help="run one engine (internal)")
    parser.add_argument("--inputs", type=Path, help="the folder of its Parquet files")
    given = parser.parse_args()
    sys.exit(main() if given.engine is None else run_engine(given.engine, given.inputs))
