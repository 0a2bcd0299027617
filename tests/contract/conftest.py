"""The real client's join, in a process of its own, and what it is asked."""

from __future__ import annotations

import importlib.util
import pickle
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
def oracle(engine_apart, tmp_path_factory):
    """Databricks' own join on Apache Spark: (tables, cases) -> () -> [("frame"|"error", what)]."""
    ask = engine_apart(SCRIPT)

    def asked(tables, cases):
        folder = tmp_path_factory.mktemp("cases")
        (folder / "tables.pickle").write_bytes(pickle.dumps(tables))
        (folder / "cases.pickle").write_bytes(pickle.dumps(cases))
        return ask(folder)

    return asked
