import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from nextbest.features.action import action_features
from nextbest.features.customer import customer_features
from nextbest.features.definitions import WINDOWS, spread
from nextbest.features.labels import labels


@pytest.mark.slow
def test_both_engines_give_the_same_rows(on_both_engines, assert_same_rows, make_log, make_spine):
    log = make_log(seed=3, customers=400, events=8_000)
    # Sliced by Arrow, an empty table keeps its types.
    none = {name: pa.Table.from_pandas(rows).slice(0, 0) for name, rows in log.items()}
    bare = {**none, "customers": log["customers"]}
    actions = pd.DataFrame(
        {"action_id": ["none", "a"], "channel": ["none", "email"], "cost": [0, 0.1]}
    )
    answers = {"decisions": log["decisions"], "outcomes": log["outcomes"], "actions": actions}
    asked = {"kinds": ("response", "opt_out"), "as_of": dt.date(2026, 3, 1), "attribution_days": 7}
    spine = make_spine(log)
    windows = WINDOWS + spread({"channel": ["email", "sms"], "action_id": ["a", "b"]})
    treated = {"days": spine, **answers}
    full, without, known, treatments = on_both_engines(
        [
            (customer_features, {"spine": spine, **log}, {"windows": windows}),
            (customer_features, {"spine": spine, **bare}, {"windows": windows}),
            (labels, answers, asked),
            (action_features, treated, {"attribution_days": 7}),
        ]
    )
    for found in (full, without):
        assert len(found[0]) == len(spine) - 1
        assert_same_rows(*found, ("customer_id", "as_of"))
    assert_same_rows(*known, ("decision_id",))
    assert len(known[0]) == len(log["decisions"])
    assert_same_rows(*treatments, ("action_id", "channel", "as_of"))
    assert len(treatments[0]) == 2 * len(actions)


@pytest.mark.unit
@pytest.mark.parametrize("other", [1.0 + 1e-8, None, float("nan")])
def test_a_difference_is_seen(assert_same_rows, other):
    one = pa.table({"key": ["a", "b"], "x": pa.array([1.0, float("nan")])})
    assert_same_rows(one, one.take([1, 0]), ("key",))
    near = pa.table({"key": ["a", "b"], "x": pa.array([1.0 + 1e-10, float("nan")])})
    assert_same_rows(one, near, ("key",))
    changed = pa.table({"key": ["b", "a"], "x": pa.array([float("nan"), other])})
    with pytest.raises(AssertionError):
        assert_same_rows(one, changed, ("key",))
