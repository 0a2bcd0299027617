"""`dbb promote-model MODEL --rollback` against moving one alias with MLflow's own client.

Ours reads the ledger, moves two aliases, has the endpoint answer by the version before and writes
the step down; the peer is a fresh Python that calls `MlflowClient.set_registered_model_alias` on
the same sqlite registry. In alternation, from compiled bytecode. Prints medians, limit, ratio and
peak memory; exits 1 above the limit.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile

from fresh_python import run

LIMIT = 2.0  # seconds, of the processor: on call, nobody waits for a rollback
REPETITIONS = 7
MODEL, ENDPOINT = "juan_dev.ml_nba_demo_dev.dev_bench_nba", "nextbest-dev-bench"
PREPARE = f"""
import sys
from pathlib import Path
from nextbest.platforms.local.serving import LocalServing
from nextbest.platforms.local.tracking import create_database
home = Path(sys.argv[1])
create_database(home)
import mlflow
from mlflow.models import infer_signature
from sklearn.dummy import DummyClassifier
mlflow.set_tracking_uri("sqlite:///" + str(home / "mlflow" / "mlflow.db"))
mlflow.create_experiment("bench", (home / "mlflow" / "artifacts").as_uri())
mlflow.set_experiment("bench")
with mlflow.start_run():
    fitted = DummyClassifier().fit([[0], [1]], [0, 1])
    uri = mlflow.sklearn.log_model(
        fitted, name="m", signature=infer_signature([[0.0]], [0]), pip_requirements=["scikit-learn"]
    ).model_uri
for _ in range(2):
    mlflow.register_model(uri, {MODEL!r})
LocalServing(home).deploy({ENDPOINT!r}, {MODEL!r}, "1")
"""
DBB = "import sys; from nextbest.cli import main; sys.exit(main(sys.argv[1:]))"
PEER = f"""
import sys
from mlflow import MlflowClient
uri = "sqlite:///" + sys.argv[1] + "/mlflow/mlflow.db"
MlflowClient(uri, uri).set_registered_model_alias({MODEL!r}, "bench", "1")
"""


def main() -> int:
    """Measure and print; returns the exit code."""
    ours, peers, back = [], [], ""
    with tempfile.TemporaryDirectory() as home:
        run(PREPARE, home)
        here = ("--local", "--lakehouse", home)
        by_force = ("--force", "--reason", "benchmark")
        run(DBB, "promote-model", MODEL, "--version", "1", *by_force, *here, LOGNAME="bench")
        for turn in range(REPETITIONS + 1):
            run(DBB, "promote-model", MODEL, "--version", "2", *by_force, *here, LOGNAME="bench")
            *rolled_back, back = run(
                DBB, "promote-model", MODEL, "--rollback", *here, LOGNAME="bench"
            )
            *moved, _ = run(PEER, home)
            if turn:  # the first one may compile
                ours.append(rolled_back)
                peers.append(moved)
    mine, theirs = (
        [statistics.median(side) for side in zip(*of, strict=True)] for of in (ours, peers)
    )
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"told   {back.strip()}")
    print(f"ours   dbb promote-model --rollback  {mine[0]:5.2f} s ({mine[1]:.2f} on the clock)")
    print(f"peer   MLflow moves one alias        {theirs[0]:5.2f} s ({theirs[1]:.2f} on the clock)")
    print(
        f"ratio  {mine[0] / theirs[0]:.2f}, limit {LIMIT:g} s; peak of any process {memory:.0f} MiB"
    )
    return 0 if mine[0] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
