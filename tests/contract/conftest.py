"""The real client's join, in a process of its own, and what it is asked."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("oracle_engine.py")


@pytest.fixture(scope="session")
def cases():
    """The module cases.py under the name by which the oracle knows it."""
    spec = importlib.util.spec_from_file_location("cases", SCRIPT.with_name("cases.py"))
    sys.modules["cases"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    """Databricks' own join on Apache Spark: (tables, cases) -> [("frame" or "error", what)]."""
    pytest.importorskip("databricks.feature_engineering", reason="group oracle is not installed")
    home = tmp_path_factory.mktemp("oracle")
    # What the embedded engine's client leaves in the environment would make it Connect again.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("SPARK_")}
    log = home / "stderr.txt"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, SCRIPT, home / "warehouse"],
            env={**plain, "PYSPARK_PYTHON": sys.executable, "TZ": "UTC"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def ask(tables, asked):
        folder = tmp_path_factory.mktemp("cases")
        (folder / "tables.pickle").write_bytes(pickle.dumps(tables))
        (folder / "cases.pickle").write_bytes(pickle.dumps(asked))
        process.stdin.write(f"{folder}\n")
        process.stdin.flush()
        assert process.stdout.readline() == f"{folder}\n", log.read_text()[-4000:]
        return pickle.loads((folder / "results.pickle").read_bytes())

    yield ask
    process.stdin.close()
    process.wait()
    process.stdout.close()
