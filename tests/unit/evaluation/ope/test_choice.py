"""SLOPE: strong shrinkage where the model is good, weak where its bias shows."""

from __future__ import annotations

import numpy as np
import pytest

from nextbest.errors import DataError, SettingsError
from nextbest.evaluation.ope.choice import choose, choose_all, grid
from nextbest.evaluation.ope.estimators import value_of
from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold, merged
from nextbest.evaluation.ope.terms import SHRINKAGES

pytestmark = pytest.mark.unit
ALL = (*SHRINKAGES, *grid())


def test_a_true_model_lets_weights_be_shrunk_and_a_false_one_forbids_it(bandit):
    true = choose(fold(bandit.draw(20_000, 1, model=1.0), ALL), "candidate", "switch")
    false = choose(fold(bandit.draw(20_000, 1, model=0.1), ALL), "candidate", "switch")
    assert true.strength < false.strength


@pytest.mark.parametrize("model", [0.1, 1.0])
def test_what_is_chosen_is_near_the_best_of_the_grid(bandit, model):
    errors = {}
    for seed in range(40):
        moments = fold(bandit.draw(1000, seed, model=model), ALL)
        chosen = choose(moments, "candidate", "optimistic")
        for each in chosen.candidates:
            name = "chosen" if each.name == chosen.estimator else None
            error = (value_of(moments, "candidate", each.name).value - bandit.value) ** 2
            errors.setdefault(each.name, []).append(error)
            if name:
                errors.setdefault(name, []).append(error)
    means = {name: np.mean(each) for name, each in errors.items()}
    worst = max(each for name, each in means.items() if name != "chosen")
    assert means["chosen"] <= 6 * min(means.values())
    assert model == 1.0 or means["chosen"] < worst / 5


def test_the_choice_does_not_depend_on_the_split(bandit):
    log = bandit.draw(9000, 3)
    whole = fold(log, ALL)
    parts = [fold(log.take(rows), ALL) for rows in np.array_split(np.arange(9000)[::-1], 7)]
    assert choose_all(merged(parts), "candidate") == choose_all(whole, "candidate")
    assert set(choose_all(whole, "candidate")) == {"clip", "switch", "optimistic", "subgaussian"}


def test_one_strength_is_no_choice_and_none_is_refused(bandit):
    moments = fold(bandit.draw(500, 4))
    assert choose_all(moments, "candidate") == {}
    assert choose(moments, "candidate", "switch").strength == 5.0
    bare = fold(bandit.draw(500, 4), ())
    with pytest.raises(DataError, match="no shrinkage of kind 'switch'"):
        choose(bare, "candidate", "switch")
    with pytest.raises(SettingsError, match="confidence is 2"):
        choose(moments, "candidate", "switch", confidence=2)
    with pytest.raises(SettingsError, match="no kind 'mrdr'"):
        grid({"mrdr": (1.0,)})


def test_clipping_tells_how_much_it_can_have_taken():
    # w = 100 once in 100 rows: clipped at 10, it takes 90/100 of a reward of at most 2.
    p = np.r_[0.01, np.ones(99)]
    log = LoggedBatch(
        np.r_[2.0, np.zeros(98), -1.0], p, {"a": Target(np.r_[1.0, np.full(99, 0.0)])}
    )
    moments = fold(log)
    clipped, ips = (value_of(moments, "a", name) for name in ("clipped_ips", "ips"))
    assert (ips.value, clipped.value) == pytest.approx((2.0, 0.2))
    assert clipped.bias_bound == pytest.approx(1.8)
    assert ips.bias_bound is None
    assert clipped.low <= ips.low
    assert clipped.high == ips.high
