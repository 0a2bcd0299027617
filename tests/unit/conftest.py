"""Shared by several rooms: Apache Spark beside the embedded engine, and a model that decides."""

from __future__ import annotations

import importlib.util
import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import expit

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments

SCRIPT = Path(__file__).with_name("apache_engine.py")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a folder of this test: `write(**{"databricks.yml": text})`."""

    def write_files(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write_files


@pytest.fixture(scope="session")
def apache_spark(engine_apart):
    """Apache Spark in a process of its own: (folder) -> the results of the calls that it holds.

    See apache_engine.py. It starts once.
    """
    ask = engine_apart(SCRIPT)
    return lambda folder: ask(folder)()


@pytest.fixture(scope="session")
def on_both_engines(spark, apache_spark, tmp_path_factory):
    """Run [(function, {parameter: pandas or Arrow table}, {option: value})] on both engines.

    Gives one (embedded, Apache Spark) pair of results per call, frames as Arrow tables. Both read
    the same Parquet files. Functions and options must be importable (they are pickled by name).
    """
    spec = importlib.util.spec_from_file_location("apache_engine", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(calls):
        folder = tmp_path_factory.mktemp("parity")
        named = [(function, sorted(frames), options) for function, frames, options in calls]
        (folder / "calls.pickle").write_bytes(pickle.dumps(named))
        for number, (_, frames, _) in enumerate(calls):
            for name, table in frames.items():
                file = folder / f"{number}-{name}.parquet"
                table = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table)
                pq.write_table(table.replace_schema_metadata(), file, coerce_timestamps="us")
        return list(zip(script.run(spark, folder), apache_spark(folder), strict=True))

    return run


@pytest.fixture(scope="session")
def assert_same_rows():
    """Two Arrow tables hold the same rows, floats to 1e-9 relative; `keys` identify a row."""

    def check(ours, theirs, keys):
        assert ours.column_names == theirs.column_names
        kinds = [[_kind(field.type) for field in table.schema] for table in (ours, theirs)]
        assert kinds[0] == kinds[1]
        rows = [_by_key(table, keys) for table in (ours, theirs)]
        assert rows[0].keys() == rows[1].keys()
        differ = [
            f"{key} {name}: {one[name]} and {rows[1][key][name]}"
            for key, one in rows[0].items()
            for name in one
            if not _same(one[name], rows[1][key][name])
        ]
        assert not differ, "\n".join([f"{len(differ)} differ", *differ[:20]])

    return check


def _by_key(table, keys):
    rows = table.to_pylist()
    found = {tuple(str(row[key]) for key in keys): row for row in rows}
    assert len(found) == len(rows), f"{keys} identify no row"
    return found


def _kind(kind):
    """The type, whichever way Arrow stores it (large or not, nullable or not)."""
    if pa.types.is_struct(kind):
        return {field.name: _kind(field.type) for field in kind}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_kind(kind.value_type)]
    return str(kind).removeprefix("large_")


def _same(one, other):
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return type(one) is type(other) and one == other


FEATURES = ("x", "visits", "segment", "consent")


def response_value(customers, treatments):
    return customers["margin"].to_numpy(dtype=float)[:, None] * treatments.value


def opt_out_value(customers, treatments):
    return customers["margin"].to_numpy(dtype=float)[:, None] * -2.0


HEADS = (
    Head("response", "response", response_value, needs_contact=True),
    Head("opt_out", "opt_out", opt_out_value, treatment=("channel",), needs_contact=True),
)


@pytest.fixture(scope="session")
def actions():
    """none and four offers over two channels; sms needs consent, offer d a high x."""
    rows = [("none", "none", "none", 0.0, 0.0, "true")]
    for offer, value in (("a", 1.0), ("b", 0.5), ("c", 2.0), ("d", 3.0)):
        rule = "x > 0.5" if offer == "d" else "true"
        rows.append((f"{offer}:email", offer, "email", value, 0.01, rule))
        rows.append((f"{offer}:sms", offer, "sms", value, 0.05, f"consent AND {rule}"))
    columns = ["treatment", "action_id", "channel", "value", "cost", "eligibility"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(lever=1.0, daily_capacity=None, valid_from=pd.NaT, valid_to=pd.NaT)


@pytest.fixture(scope="session")
def make_customers():
    """n customers with features, nulls among them."""

    def make(n, seed=1):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            {
                "customer_id": [f"c-{i:06d}" for i in range(n)],
                "x": rng.normal(size=n),
                "visits": rng.poisson(2, n).astype("int64"),
                "segment": rng.choice(["s1", "s2"], n).astype(object),
                "consent": rng.uniform(size=n) < 0.7,
                "margin": rng.lognormal(3, 0.5, n),
            }
        )
        frame.loc[::37, "x"] = np.nan
        frame.loc[::41, "segment"] = None
        return frame

    return make


@pytest.fixture(scope="session")
def decider(actions, make_customers):
    """A model of 8,000 random contacts, ε = .2 and a tenth in the control group."""
    from nextbest.training.reward_model import fit

    treatments = Treatments.from_frame(actions)
    log = make_customers(8_000, seed=2)
    rng = np.random.default_rng(3)
    k = rng.integers(0, len(treatments), len(log))
    log["action_id"], log["channel"] = treatments.action_id[k], treatments.channel[k]
    log["decided_at"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
        np.arange(len(log)) // 1_000, unit="D"
    )
    contact = ~treatments.is_none[k]
    x = log["x"].fillna(0) * np.where(log["action_id"].isin(["a", "c"]), 1.0, -1.0)
    log["response"] = (contact & (rng.uniform(size=len(log)) < expit(-2 + x))).astype(float)
    log["opt_out"] = (contact & (rng.uniform(size=len(log)) < 0.02)).astype(float)
    model = fit(log, HEADS, FEATURES, 1, lambda text: None)
    policy = Policy("nba", "7", epsilon=0.2, control_share=0.1)
    return Decider(model, treatments, Arbitration(HEADS), policy)
