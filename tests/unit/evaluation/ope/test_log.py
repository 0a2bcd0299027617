from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError
from nextbest.evaluation.ope.log import LogColumns, LoggedBatch, Target, from_matrices, from_pandas

pytestmark = pytest.mark.unit

GOOD = [0.5, 0.5, 0.5, 0.5]


def batch(reward=GOOD, propensity=GOOD, target=GOOD, **more):
    return LoggedBatch(reward, propensity, {"candidate": Target(target)}, **more)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"propensity": [0.5, 0, 0, 0.5]}, r"propensity: 2 of 4 rows .* first is row 1 \(0.0\)"),
        ({"propensity": [0.5, 0.5, np.nan, 1]}, r"propensity: 1 of 4 rows .* row 2 \(nan\)"),
        ({"propensity": [1.001, 0.5, 0.5, 1]}, r"propensity: 1 of 4 rows .* row 0 \(1.001\)"),
        ({"propensity": [0.5, -0.1, 0.5, 1]}, r"propensity: 1 of 4 rows .* row 1 \(-0.1\)"),
        ({"reward": [1, 1, np.nan, np.inf]}, r"reward: 2 of 4 rows are not finite .* row 2 \(nan"),
        ({"target": [1.5, 0.5, 0.5, -1]}, r"candidate.probability: 2 of 4 rows .* row 0 \(1.5\)"),
        ({"reward": [1, 2, 3]}, r"differ in length \(reward 3, propensity 4, candidate.prob.* 4\)"),
        ({"reward": ["a", 1, 1, 1]}, r"reward: not numbers \(could not convert"),
        ({"reward": [[1], [1], [1], [1]]}, r"reward: 2 dimensions"),
        ({"q_logged": GOOD}, r"q_logged needs a q_target of every target; it is missing for candi"),
    ],
)
def test_what_a_log_may_not_hold_is_named(columns, message):
    with pytest.raises(DataError, match=message):
        batch(**columns)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, 0.8], r"c: 1 of 3 rows are no distribution .* first is row 1 \(\[0.5 0.8\]"),
        ([1.4, -0.4], r"c: 1 of 3 rows are no distribution"),
        ([np.nan, 1.0], r"c: 1 of 3 rows are no distribution"),
    ],
)
def test_rows_of_a_policy_are_distributions(row, message):
    policy = np.array([[0.5, 0.5], row, [0.0, 1.0 + 1e-8]])
    with pytest.raises(DataError, match=message):
        from_matrices(np.ones(3), np.full(3, 0.5), np.zeros(3, dtype=int), {"c": policy})


@pytest.mark.parametrize("policy", [np.ones(3), [["a", "b"]] * 3])
def test_matrices_that_are_none(policy):
    with pytest.raises(DataError, match="c: (1 dimensions|not numbers)"):
        from_matrices(np.ones(3), np.full(3, 0.5), np.zeros(3, dtype=int), {"c": policy})


def test_all_bad_columns_are_told_together():
    with pytest.raises(DataError, match="reward: 1 of 4.*propensity: 1 of 4.*probability: 1 of 4"):
        batch([np.nan, 1, 1, 1], [0, 1, 1, 1], [2, 1, 1, 1])


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({}, "no target policy"),
        ({"logging": Target(GOOD)}, "rename the target"),
        ({"a": Target(GOOD, GOOD)}, "q_target of a needs q_logged"),
        ({"a": Target(GOOD, None, GOOD), "b": Target(GOOD)}, "unsupported .* not for b"),
    ],
)
def test_columns_must_fit_together(targets, message):
    with pytest.raises(DataError, match=message):
        LoggedBatch(GOOD, GOOD, targets)


def test_rounding_above_one_is_no_fault_and_zero_target_is_none():
    assert len(batch(propensity=[1 + 1e-15, 1, 1, 1], target=[0, 1 + 1e-15, 1, 1])) == 4


def test_a_pandas_frame_is_read_by_name_and_its_missing_values_are_found():
    frame = pd.DataFrame({"r": [1, 2], "p": [0.5, 0.25], "t": pd.array([0.5, None], "Float64")})
    names = LogColumns({"candidate": Target("t")}, reward="r", propensity="p")
    with pytest.raises(DataError, match=r"candidate.probability: 1 of 2 rows .* row 1 \(nan\)"):
        from_pandas(frame, names)
    assert from_pandas(frame.iloc[:1], names).propensity.tolist() == [0.5]
    with pytest.raises(DataError, match="no column propensity, reward; there are r, p, t"):
        from_pandas(frame, LogColumns({"candidate": Target("t")}))


def test_whole_distributions_become_the_columns_of_what_was_logged():
    rng = np.random.default_rng(1)
    target, q = rng.dirichlet(np.ones(4), 10_000), rng.uniform(size=(10_000, 4))
    action, ones = rng.integers(0, 4, 10_000), np.ones(10_000)
    log = from_matrices(ones, ones / 4, action, {"a": target}, q)
    assert log.q_logged.tolist() == q[np.arange(10_000), action].tolist()
    assert log.targets["a"].probability.tolist() == target[np.arange(10_000), action].tolist()
    assert log.targets["a"].q_target == pytest.approx((target * q).sum(axis=1), rel=1e-14)
    assert from_matrices(ones, ones, action, {"a": target}).q_logged is None
    with pytest.raises(DataError, match=r"b: shape \(9999, 4\), not \(10000, 4\)"):
        from_matrices(ones, ones, action, {"a": target, "b": target[1:]})
    action[7] = 4
    with pytest.raises(DataError, match=r"1 of 10000 rows are no column from 0 to 3.* row 7 \(4\)"):
        from_matrices(ones, ones, action, {"a": target}, q)
