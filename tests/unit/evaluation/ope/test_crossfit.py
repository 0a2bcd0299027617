"""A q̂ that has seen the rewards it explains promises too much; cross-fitted, it does not."""

from __future__ import annotations

import numpy as np
import pytest

from nextbest.errors import DataError, SettingsError
from nextbest.evaluation.ope.crossfit import cross_fitted, folds_of
from nextbest.evaluation.ope.estimators import value_of
from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold

pytestmark = pytest.mark.integration
KINDS, ACTIONS = 400, 3


def draw(seed, n=1500):
    """Rewards that depend on nothing: every policy is worth .3, for any kind of customer."""
    rng = np.random.default_rng(seed)
    kind, action = rng.integers(0, KINDS, n), rng.integers(0, ACTIONS, n)
    reward = (rng.random(n) < 0.3).astype(float)
    return kind, action, reward


def table(kind, action, reward):
    """Mean reward [kinds, actions], .3 where nothing was seen."""
    total, seen = np.zeros((2, KINDS, ACTIONS))
    np.add.at(total, (kind, action), reward)
    np.add.at(seen, (kind, action), 1)
    return np.where(seen > 0, total / np.maximum(seen, 1), 0.3)


def learner(kind, action, reward):
    """fit → predict for the rest of a log, and the policy that is greedy by what was learnt."""

    def fit(learn):
        q = table(kind[learn], action[learn], reward[learn])
        policy = np.full(q.shape, 0.05)
        policy[np.arange(len(q)), q.argmax(axis=1)] = 0.9
        value = (policy * q).sum(axis=1)
        return (
            lambda of: (q[kind[of], action[of]], {"a": value[kind[of]]}),
            lambda of: policy[kind[of], action[of]],
        )

    return fit


def test_in_fold_models_give_a_falsely_good_value_and_cross_fitted_ones_do_not():
    found = {"in fold": [], "cross-fitted": []}
    for seed in range(40):
        kind, action, reward = draw(seed)
        rows, folds = np.arange(len(kind)), folds_of(np.arange(len(kind)))
        propensity = np.full(len(kind), 1 / ACTIONS)
        fit = learner(kind, action, reward)
        predict, choose = fit(rows)
        q_logged, q_targets = predict(rows)
        in_fold = LoggedBatch(
            reward, propensity, {"a": Target(choose(rows), q_targets["a"])}, q_logged
        )
        probability = np.empty(len(kind))
        for each in np.unique(folds):
            mine = np.flatnonzero(folds == each)
            probability[mine] = fit(np.flatnonzero(folds != each))[1](mine)
        bare = LoggedBatch(reward, propensity, {"a": Target(probability)})
        moments = cross_fitted(bare, folds, lambda learn, fit=fit: fit(learn)[0])
        found["in fold"].append(value_of(fold(in_fold), "a", "dr"))
        found["cross-fitted"].append(value_of(moments, "a", "dr"))
    in_fold, crossed = found["in fold"], found["cross-fitted"]
    assert min(each.low for each in in_fold) > 0.4  # all of them promise a third more than there is
    assert np.mean([each.value for each in crossed]) == pytest.approx(0.3, abs=0.02)
    assert sum(each.low <= 0.3 <= each.high for each in crossed) >= 35


def test_folds_keep_a_customer_together_and_do_not_depend_on_the_order():
    keys = np.array([f"c-{i % 50}" for i in range(500)])
    folds = folds_of(keys, 4)
    assert set(folds) == {0, 1, 2, 3}
    assert all(len(set(folds[keys == key])) == 1 for key in set(keys))
    assert (folds_of(keys[::-1], 4) == folds[::-1]).all()


def test_one_fold_is_none(bandit):
    log = bandit.draw(20, 1)
    with pytest.raises(DataError, match="all 20 decisions are in one fold"):
        cross_fitted(log, np.zeros(20), lambda learn: None)
    with pytest.raises(DataError, match="for 20 decisions"):
        cross_fitted(log, np.zeros(19), lambda learn: None)
    with pytest.raises(SettingsError, match="1 folds"):
        folds_of(["a"], 1)
