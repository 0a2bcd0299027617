"""One pass of the engine gives what numpy gives, and refuses what numpy refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError
from nextbest.evaluation.ope.choice import grid
from nextbest.evaluation.ope.diagnostics import diagnose
from nextbest.evaluation.ope.estimators import available, lift, value_of
from nextbest.evaluation.ope.log import LogColumns, LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.ope.segments import fold_by
from nextbest.evaluation.ope.terms import SHRINKAGES

pytestmark = pytest.mark.integration

BARE = LogColumns({"candidate": Target("target")}, key="decision_id")
FULL = LogColumns(
    {
        "candidate": Target("candidate", "candidate_q", "candidate_outside"),
        "same": Target("same", "same_q", "same_outside"),
    },
    q_logged="q",
)


@pytest.fixture(scope="module")
def moments():
    from nextbest.evaluation.ope.spark import moments

    return moments


def as_pandas(log: LoggedBatch) -> pd.DataFrame:
    columns = {"reward": log.reward, "propensity": log.propensity, "q": log.q_logged}
    for name, target in log.targets.items():
        columns |= {name: target.probability, f"{name}_q": target.q_target}
        columns |= {f"{name}_outside": target.unsupported}
    return pd.DataFrame(columns)


@pytest.mark.parametrize("seed", [1, 2])
def test_numpy_and_the_engine_agree(spark, moments, bandit, seed):
    log = bandit.draw(20_000, seed)
    frame = spark.createDataFrame(as_pandas(log)).repartition(7)
    found, expected = moments(frame, FULL), fold(log)
    assert found.layout == expected.layout
    for name in available(expected):
        for one, other in (
            (value_of(found, "candidate", name), value_of(expected, "candidate", name)),
            (lift(found, "candidate", estimator=name), lift(expected, "candidate", estimator=name)),
            (
                lift(found, "candidate", "same", estimator=name),
                lift(expected, "candidate", "same", estimator=name),
            ),
        ):
            assert (one.value, one.low, one.high, one.standard_error) == pytest.approx(
                (other.value, other.low, other.high, other.standard_error), rel=1e-12, abs=1e-13
            )
    for policy in ("candidate", "same"):
        facts, others = diagnose(found, policy), diagnose(expected, policy)
        assert vars(facts) == pytest.approx(vars(others), rel=1e-12)
    assert found.weight_counts.tolist() == expected.weight_counts.tolist()


def test_segments_of_the_engine_are_those_of_numpy(spark, bandit):
    from nextbest.evaluation.ope.spark import moments_by

    log = bandit.draw(6000, 8)
    names = np.random.default_rng(9).choice(np.array(["a", "b", None], dtype=object), 6000)
    frame = spark.createDataFrame(as_pandas(log).assign(segment=names)).repartition(3)
    shrinkages = (*SHRINKAGES, *grid())
    found, expected = moments_by(frame, FULL, "segment", shrinkages), fold_by(
        log, names, shrinkages
    )
    assert list(found) == list(expected)
    for segment, theirs in expected.items():
        for name in available(theirs):
            one, other = (lift(m, "candidate", estimator=name) for m in (found[segment], theirs))
            assert (one.value, one.low, one.high, one.n) == pytest.approx(
                (other.value, other.low, other.high, other.n), rel=1e-12, abs=1e-12
            )
    with pytest.raises(DataError, match="no column 'kind' for the segment"):
        moments_by(frame, FULL, "kind")


@pytest.mark.slow
def test_both_engines_give_the_same_estimates(on_both_engines, moments, bandit):
    log = as_pandas(bandit.draw(5_000, 6))
    ((ours, theirs),) = on_both_engines([(moments, {"frame": log}, {"names": FULL})])
    assert ours.layout == theirs.layout
    for name in available(ours):
        for policy in ("candidate", "same"):
            found, other = (lift(side, policy, estimator=name) for side in (ours, theirs))
            assert (found.value, found.low, found.high) == pytest.approx(
                (other.value, other.low, other.high), rel=1e-9, abs=1e-12
            )
    assert ours.weight_counts.tolist() == theirs.weight_counts.tolist()


def test_a_day_from_the_engine_and_a_day_from_numpy_add_up(spark, moments, bandit):
    one, other = bandit.draw(3000, 3), bandit.draw(2000, 4)
    mixed = moments(spark.createDataFrame(as_pandas(one)), FULL) + fold(other)
    both = fold(one) + fold(other)
    for name in available(both):
        assert lift(mixed, "candidate", estimator=name).low == pytest.approx(
            lift(both, "candidate", estimator=name).low, rel=1e-12
        )


def test_large_values_of_little_spread_lose_no_digits(spark, moments):
    rng = np.random.default_rng(5)
    values = 1e6 + rng.normal(0, 1e-2, 5000)
    frame = pd.DataFrame({"reward": values, "propensity": 1.0, "target": 1.0, "decision_id": "x"})
    found = value_of(moments(spark.createDataFrame(frame), BARE), "candidate", "ips")
    assert found.value == pytest.approx(values.mean(), rel=1e-14)
    assert found.standard_error == pytest.approx(values.std(ddof=1) / np.sqrt(5000), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"propensity": 0.0}, "propensity: 2 of 6 rows .* the first is decision_id d3"),
        ({"propensity": float("nan")}, "propensity: 2 of 6 rows .* the first is decision_id d3"),
        ({"propensity": 1.5}, "propensity: 2 of 6 rows .* the first is decision_id d3"),
        ({"reward": None}, "reward: 2 of 6 rows are not finite .* decision_id d3"),
        ({"reward": float("inf")}, "reward: 2 of 6 rows are not finite .* decision_id d3"),
        ({"target": -0.1}, "candidate.probability: 2 of 6 rows .* decision_id d3"),
        ({"target": None, "reward": None}, "reward: 2 of 6 .*; candidate.probability: 2 of 6"),
    ],
)
def test_bad_rows_are_counted_and_named(spark, moments, change, message):
    rows = [
        {"decision_id": f"d{i}", "reward": 1.0, "propensity": 0.5, "target": 0.5} for i in "123456"
    ]
    rows[2] |= change
    rows[4] |= change
    schema = "decision_id string, reward double, propensity double, target double"
    frame = spark.createDataFrame([tuple(row.values()) for row in rows], schema)
    with pytest.raises(DataError, match=message):
        moments(frame, BARE)


def test_without_a_key_a_bad_value_is_shown(spark, moments):
    frame = pd.DataFrame({"reward": [1.0, 1.0], "propensity": [0.5, -3.0], "target": 0.5})
    with pytest.raises(DataError, match=r"propensity: 1 of 2 rows .*; one is -3\.0$"):
        moments(spark.createDataFrame(frame), LogColumns({"candidate": Target("target")}))


def test_an_overflow_in_a_worker_is_told_as_such(spark, moments):
    row = {"decision_id": "d1", "reward": 1.0, "propensity": 5e-324, "target": 1.0}
    with pytest.raises(DataError, match=r"^log: candidate\.w, candidate\.wr left the range"):
        moments(spark.createDataFrame(pd.DataFrame([row])), BARE)


def test_any_numeric_type_and_any_column_name_will_do(spark, moments):
    frame = spark.sql(
        "SELECT 1 AS `net value`, CAST(0.5 AS DECIMAL(5, 3)) AS p, CAST(0.25 AS FLOAT) AS t"
    )
    names = LogColumns({"a": Target("t"), "b": Target("t")}, reward="net value", propensity="p")
    assert value_of(moments(frame, names), "b", "ips").value == 0.5


def test_columns_that_are_missing_or_no_numbers_are_told_together(spark, moments):
    frame = spark.createDataFrame(
        [("x", "a", 0.5)], "decision_id string, reward string, target double"
    )
    with pytest.raises(
        DataError, match="reward: column 'reward' is string.*no column 'propensity' for propensity"
    ):
        moments(frame, BARE)


def test_an_empty_log_is_refused(spark, moments):
    schema = "decision_id string, reward double, propensity double, target double"
    with pytest.raises(DataError, match="the log is empty"):
        moments(spark.createDataFrame([], schema), BARE)
