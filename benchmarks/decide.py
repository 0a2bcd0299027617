"""Batch decisions on the embedded engine, against one row per pair and against the model alone.

Ours is inference.batch.recommend over N customers × 29 treatments of the simulated world, with
eligible sets that are known; what comes out is summed up. The peers, in the same run, decide
nothing: (a) a cross join of customers and actions scored by `mlflow.pyfunc.spark_udf` with the
same model, on a part of the customers; (b) the model's raw vectorised `predict_matrix`, over
customers and eligible sets that are in memory. Since the engine uses every core and (b) one, what
a worker does to a batch is also timed in one thread, beside (b), both in seconds of CPU, which a
busy machine does not stretch. Medians of three, in alternation.
Peak memory is that of a process that decides for N, and of one for 4N customers, eligibility rules
included; both end in sums, since the engine's Parquet writer holds a million rows of its own.
Prints rows (customer × treatment) per second, ratios and limits; exits 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import pickle
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest.data import outcomes, world
from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logged_day
from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.eligibility import with_eligible
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.inference.batch import ROWS, decide_rows, recommend
from nextbest.training.reward_model import fit
from nextbest.use_cases.nba_heads import SIMULATED_HEADS

JOIN_LIMIT, RAW_LIMIT, MEMORY_LIMIT = 10.0, 0.7, 0.2
DAYS, DECISIONS_PER_DAY, ROUNDS = 10, 5_000, 3
AS_OF = dt.date(2026, 1, 31)
TOLD = {"as_of": AS_OF, "seed": 1, "use_case": "bench", "model_version": "1"}
FEATURES = (
    *world.ATTRIBUTES,
    *("tenure_months", "segment", "call_consent", "sms_consent", "contacts_7d"),
)


def main(customers: int, pairs: int) -> int:
    """Measure and print; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder), customers)
        speed = child("speed", folder, customers, pairs)
        peaks = [child(part, folder, customers, pairs)["peak"] for part in ("once", "four")]
    rates = {
        "ours   recommend, engine": speed["ours"],
        "ours   the worker's part, per second of CPU": speed["worker CPU"],
        "peer a cross join + spark_udf, engine": speed["join"],
        "peer b raw predict_matrix, one thread": speed["raw"],
        "peer b raw predict_matrix, per second of CPU": speed["raw CPU"],
    }
    for name, rate in rates.items():
        print(f"{name:<46}{rate / 1e6:8.3f} M rows/s")
    ratios = {
        "ours to the cross join": (speed["ours"] / speed["join"], JOIN_LIMIT),
        "ours to the raw model": (speed["ours"] / speed["raw"], RAW_LIMIT),
        "worker to the raw model": (speed["worker CPU"] / speed["raw CPU"], RAW_LIMIT),
    }
    for name, (ratio, limit) in ratios.items():
        print(f"ratio  {name:<39}{ratio:8.2f}, limit {limit:g}")
    grown = peaks[1] / peaks[0] - 1.0
    print(
        f"memory peak {peaks[0]:.0f} MiB for {customers:,}, {peaks[1]:.0f} MiB for "
        f"{4 * customers:,} customers: {grown:+.0%}, limit ±{MEMORY_LIMIT:.0%}"
    )
    fast = all(ratio >= limit for ratio, limit in ratios.values())
    return 0 if fast and abs(grown) <= MEMORY_LIMIT else 1


def child(part: str, folder: str, customers: int, pairs: int) -> dict[str, float]:
    """Measure one part in a process of its own, so that peaks don't mix."""
    words = ["--part", part, "--inputs", folder, "--customers", customers, "--pairs", pairs]
    command = [sys.executable, __file__, *map(str, words)]
    # A folder of its own for what MLflow and the engine put aside.
    environment = {**os.environ, "TZ": "UTC", "MLFLOW_DISABLE_TELEMETRY": "true", "TMPDIR": folder}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{part} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(part: str, folder: Path, customers: int, pairs: int) -> None:
    """One part; the last line printed is the result as JSON."""
    from nextbest.platforms.local.session import open_session

    spark = open_session(folder / f"lakehouse-{part}", ["bench.bench"])
    decider, actions = pickle.loads((folder / "decider.pkl").read_bytes())
    frame = spark.read.parquet(str(folder / ("four" if part == "four" else "once")))
    if part != "speed":
        deciding(with_eligible(frame, actions, AS_OF), decider)()
        print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    known = folder / "eligible"
    with_eligible(frame, actions, AS_OF).write.parquet(str(known))
    eligible = spark.read.parquet(str(known))
    runs = {
        "ours": (deciding(eligible, decider), customers),
        "worker": (working(eligible, decider), customers),
        "raw": (predicting(folder, decider), customers),
        "join": (joining(spark, frame.limit(pairs), decider, actions, folder), pairs),
    }
    deciding(eligible.limit(ROWS), decider)()
    wall: dict[str, list[float]] = {name: [] for name in runs}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, (function, _) in runs.items():
            begin, before = time.perf_counter(), time.process_time()
            function()
            wall[name].append(time.perf_counter() - begin)
            spent[name].append(time.process_time() - before)
            print(name, f"{wall[name][-1]:.2f} s, CPU {spent[name][-1]:.2f} s", flush=True)
    taken = {**wall, "worker CPU": spent["worker"], "raw CPU": spent["raw"]}
    rates = {
        name: runs[name.split()[0]][1] * len(decider.treatments) / statistics.median(each)
        for name, each in taken.items()
    }
    print(json.dumps(rates))


def deciding(eligible: DataFrame, decider: Decider) -> Callable[[], None]:
    """Decisions on the engine, each column of what was decided summed up."""
    found = recommend(eligible, decider, **TOLD)
    texts = [F.sum(F.length(name)) for name in ("decision_id", "treatment", "reason")]
    sums = [F.sum(name) for name in ("propensity", "score", "expected_value")]

    def run() -> None:
        found.agg(*texts, *sums).collect()

    return run


def working(eligible: DataFrame, decider: Decider) -> Callable[[], None]:
    """What a worker does, batch after batch, from Arrow to Arrow."""
    batches = eligible.toArrow().combine_chunks().to_batches(ROWS)

    def run() -> None:
        for batch in batches:
            decide_rows(batch, decider, "bench", AS_OF.isoformat(), 1)

    return run


def predicting(folder: Path, decider: Decider) -> Callable[[], None]:
    """The model alone, over batches of the same size that are in memory already."""
    customers = pq.read_table(folder / "once").to_pandas()
    open_ = world.eligible(customers)[:, columns(decider.treatments)]
    starts = range(0, len(customers), ROWS)
    batches = [(customers.iloc[at : at + ROWS], open_[at : at + ROWS]) for at in starts]

    def run() -> None:
        for rows, eligible in batches:
            decider.model.predict_matrix(rows, decider.treatments, eligible)

    return run


def joining(
    spark: SparkSession, frame: DataFrame, decider: Decider, actions: pd.DataFrame, folder: Path
) -> Callable[[], None]:
    """One row per customer and treatment, scored by MLflow's own function for Spark."""
    import mlflow
    from mlflow.models import infer_signature

    from nextbest.training.pyfunc import RewardPyfunc

    inputs = pq.read_table(folder / "once").slice(0, 5).to_pandas()[list(FEATURES)]
    inputs = inputs.assign(action_id="none", channel="none")
    predicted = decider.model.predict(inputs)
    path = str(folder / "model")
    mlflow.pyfunc.save_model(
        path,
        python_model=RewardPyfunc(decider),
        signature=infer_signature(inputs, predicted),
        pip_requirements=["mlflow"],
    )
    # Where the function looks first, in vain otherwise: its threads then stumble over each other.
    named = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    shutil.copytree(path, Path(tempfile.gettempdir(), "mlflow", named, str(os.getpid())))
    kind = ", ".join(f"{name} double" for name in predicted.columns)
    score = mlflow.pyfunc.spark_udf(spark, path, result_type=kind, env_manager="local")
    pairs = frame.crossJoin(spark.createDataFrame(actions[["action_id", "channel"]]))
    scored = pairs.select(score(F.struct(*map(F.col, inputs.columns))).alias("p"))

    def run() -> None:
        scored.agg(F.sum(F.col(f"p.{predicted.columns[0]}"))).collect()

    return run


def columns(treatments: Treatments) -> list[int]:
    """Where each of ours is among the world's treatments."""
    return [world.TREATMENTS.index(name) for name in treatments.names]


def write_inputs(folder: Path, customers: int) -> None:
    """A fitted model, N customers and 4N of them as Parquet files; seeded."""
    told = world.World(7, max(customers, DECISIONS_PER_DAY), DAYS, DECISIONS_PER_DAY, 7, "none",
                       dt.date(2030, 1, 1))  # fmt: skip
    base = world.customers(told, AS_OF)
    first = np.datetime64(AS_OF) - DAYS
    days = [logged_day(told, base, first + day) for day in range(DAYS)]
    log = pd.concat(days, ignore_index=True)
    seen = outcomes.outcomes(told, base, log, AS_OF + dt.timedelta(days=90)).to_pandas()
    frame = base.iloc[log["row"]].reset_index(drop=True)
    frame["decided_at"] = log["decided_at"]
    frame["contacts_7d"] = fatigue(told, frame, log["decided_at"].to_numpy()).astype(float)
    actions = world.actions().assign(lever=1.0, valid_from=pd.NaT, valid_to=pd.NaT)
    for name in ("action_id", "channel"):
        frame[name] = actions[name].to_numpy()[log["treatment"]]
    for head in SIMULATED_HEADS:
        ids = seen.loc[seen["kind"] == head.kind, "decision_id"]
        frame[head.kind] = log["decision_id"].isin(ids).astype(float)
    model = fit(frame, SIMULATED_HEADS, FEATURES, 1, lambda text: None)
    policy = Policy("bench", "1", epsilon=0.1, control_share=0.02)
    decider = Decider(model, Treatments.from_frame(actions), Arbitration(SIMULATED_HEADS), policy)
    (folder / "decider.pkl").write_bytes(pickle.dumps((decider, actions)))
    worn = fatigue(told, base, np.full(len(base), np.datetime64(AS_OF))).astype(float)
    rows = pa.Table.from_pandas(base.assign(contacts_7d=worn)[:customers], preserve_index=False)
    at, ids = rows.schema.get_field_index("customer_id"), rows["customer_id"].to_pylist()
    quarter = -(-len(rows) // 4)
    for part in range(4):  # as many files, so that as much goes on at a time
        renamed = rows.set_column(at, "customer_id", pa.array([f"{i}-{part}" for i in ids]))
        for name, some in (("once", rows.slice(part * quarter, quarter)), ("four", renamed)):
            (folder / name).mkdir(exist_ok=True)
            pq.write_table(some, folder / name / f"{part}.parquet", row_group_size=20_000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=200_000, help="N; the issue says 1000000")
    parser.add_argument("--pairs", type=int, default=5_000, help="customers of the cross join")
    parser.add_argument("--part", choices=("speed", "once", "four"), help="one part (internal)")
    parser.add_argument("--inputs", type=Path, help="the folder of its files")
    given = parser.parse_args()
    if given.part is None:
        sys.exit(main(given.customers, given.pairs))
    measure(given.part, given.inputs, given.customers, given.pairs)
