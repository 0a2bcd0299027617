"""Parts that all tests share: the embedded engine, once per worker, and a private MLflow."""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import settings

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"

# How long an example takes says more of what else the machine does than of us: no deadlines.
settings.register_profile("quick", max_examples=8, deadline=None)
settings.register_profile("thorough", max_examples=200, deadline=None)
settings.load_profile("thorough" if os.environ.get("CI") else "quick")

# What collecting two thousand tests makes stays: to look through it again and again takes seconds.
gc.set_threshold(200_000, 20, 100)

SCHEMAS = ["juan_dev.ml_nba_demo_dev", "prod.ml_nba_demo"]


def pytest_ignore_collect(collection_path, config):
    """With -m unit a file without unit tests isn't imported: MLflow alone takes three seconds."""
    if config.option.markexpr == "unit" and collection_path.suffix == ".py":
        return "mark.unit" not in collection_path.read_text(encoding="utf-8") or None
    return None


@pytest.fixture(scope="session", autouse=True)
def one_thread_of_blas():
    """The workers are the parallelism: with two threads of BLAS in each, it is ten times slower."""
    from threadpoolctl import threadpool_limits

    importlib.import_module("scipy.linalg")  # with its BLAS, beside NumPy's
    with threadpool_limits(1):
        yield


@pytest.fixture
def in_lima(monkeypatch):
    """This process is five hours west of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/Lima")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(scope="session")
def spark_home(tmp_path_factory):
    """The lakehouse folder behind the `spark` fixture."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="session")
def spark(spark_home):
    """The embedded engine; tables may be written to juan_dev.ml_nba_demo_dev."""
    from nextbest.platforms.local.session import open_session

    return open_session(spark_home, SCHEMAS)


@pytest.fixture(scope="session")
def local_mlflow():
    """Point MLflow at a lakehouse folder, as the runner does for a task."""
    saved = dict(os.environ)

    def use(lakehouse):
        from nextbest.platforms.local.environment import environment

        os.environ.update(environment(lakehouse))
        import mlflow

        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
        mlflow.set_registry_uri(os.environ["MLFLOW_REGISTRY_URI"])
        _forget_the_experiment()
        return lakehouse

    yield use
    os.environ.clear()
    os.environ.update(saved)


@pytest.fixture(scope="module")
def workspace_mlflow():
    """A recording workspace that MLflow's own Databricks clients are pointed at."""
    import mlflow
    from workspace.server import TOKEN, Workspace

    before, space = (mlflow.get_tracking_uri(), mlflow.get_registry_uri()), Workspace()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABRICKS_HOST", space.url)
        patch.setenv("DATABRICKS_TOKEN", TOKEN)
        mlflow.set_tracking_uri("databricks")
        mlflow.set_registry_uri("databricks-uc")
        yield space
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])
    _forget_the_experiment()
    space.close()


def _forget_the_experiment():
    """The one that was set is of another store: runs would be sought in it."""
    importlib.import_module("mlflow.tracking.fluent")._active_experiment_id = None
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


@pytest.fixture(scope="session")
def engine_apart(tmp_path_factory):
    """Run a script with Apache Spark in a process of its own: (script) -> (folder) -> () -> result.

    One process can't hold both engines. The script reads a folder per line of stdin, leaves
    FOLDER/results.pickle and prints the folder's name. The last call waits; until then, both work.
    """
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(_engine(script, tmp_path_factory.mktemp("apart")))


@contextmanager
def _engine(script, home):
    # What the embedded engine's client leaves in the environment would make it Connect again.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("SPARK_")}
    log = home / "stderr.txt"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, script, home / "warehouse"],
            env={**plain, "PYSPARK_PYTHON": sys.executable, "TZ": "UTC"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def ask(folder):
        process.stdin.write(f"{folder}\n")
        process.stdin.flush()

        def answer():
            assert process.stdout.readline() == f"{folder}\n", log.read_text()[-4000:]
            return pickle.loads((folder / "results.pickle").read_bytes())

        return answer

    with process:  # at the end it closes stdin, which ends the script, and waits
        yield ask
