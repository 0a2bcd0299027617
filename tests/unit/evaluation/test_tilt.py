"""Features together: quiet where the model is right, loud where many of them changed a little."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi2, ncx2

from nextbest.evaluation.foretold import Foretold
from nextbest.evaluation.tilt import judge_tilt, tilt_sums

pytestmark = pytest.mark.unit
CHANCE = 1e-5


def drawn(seed, n=6000, tilt=0.0, features=8, actions=4, rate=0.03):
    """Outcomes, what was foretold, actions and features, of which `tilt` is the slope, ±."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, features))
    at = rng.integers(actions, size=n)
    p = rate * np.exp(rng.normal(0, 0.5, n))
    slopes = tilt * rng.choice([-1, 1], (actions, features))
    true = np.minimum(p * np.exp((x * slopes[at]).sum(axis=1)), 0.9)
    names = pd.Series([f"a{each}" for each in at])
    columns = pd.DataFrame(x, columns=[f"x{each}" for each in range(features)])
    return (rng.random(n) < true).astype(float), p, names, columns


def judged(drawing, chance=CHANCE, misfit=0.3):
    return judge_tilt(tilt_sums(*drawing), chance, misfit)


@given(st.integers(0, 10**6), st.integers(0, 400))
def test_parts_add_up_to_the_whole(seed, cut):
    drawing = drawn(seed, 400, tilt=1.0, rate=0.2)
    whole = tilt_sums(*drawing)
    parts = [tilt_sums(*(each[part] for each in drawing)) for part in (slice(cut), slice(cut, 400))]
    added = (Foretold(tilts=parts[0]) + Foretold(tilts=parts[1])).tilts
    assert added.keys() == whole.keys()
    for key, cells in whole.items():
        assert added[key].keys() == cells.keys()
        for action, numbers in cells.items():
            assert added[key][action] == pytest.approx(numbers, rel=1e-9, abs=1e-9)


def test_the_statistic_is_that_of_a_poisson_regression():
    """Score and likelihood ratio tests agree where little changed (Rao 1948; Wilks 1938)."""
    y, p, names, x = drawn(3, 200_000, tilt=0.04, features=3, actions=1)
    x, p = x + [2.0, -1.0, 0.5], p / 1.5  # neither means nor the level are those of the model
    design = np.column_stack([np.ones(len(y)), x])

    def loss(beta):
        rate = p * np.exp(design @ beta)
        return rate.sum() - y @ np.log(rate)

    level = np.log(y.sum() / p.sum())
    ratio = 2 * (loss([level, 0, 0, 0]) - minimize(loss, [level, 0, 0, 0], tol=1e-9).fun)
    lowest = [chi2.sf(ratio * (1 + side), 3) for side in (0.03, -0.03)]
    assert judge_tilt(tilt_sums(y, p, names, x), lowest[0], 0.0) is None
    assert judge_tilt(tilt_sums(y, p, names, x), lowest[1], 0.0) is not None


def test_many_small_changes_are_one_great_one():
    """Each feature alone moves responses by a few percent."""
    assert sum(judged(drawn(seed, tilt=0.45)) is not None for seed in range(30)) >= 28


def test_a_world_that_is_as_foretold_is_left_alone():
    spoke = [judged(drawn(seed), chance=1e-3) for seed in range(300)]
    assert sum(each is not None for each in spoke) <= 1


@pytest.mark.parametrize(
    ("n", "actions", "features"), [(1000, 4, 20), (1000, 40, 20), (300, 1, 20)]
)
def test_few_events_are_no_finding(n, actions, features):
    spoke = [
        judged(drawn(seed, n, features=features, actions=actions), 1e-3) for seed in range(300)
    ]
    assert sum(each is not None for each in spoke) <= 1


def test_levels_of_actions_are_no_tilt():
    """What seasons and treatments move is judged elsewhere."""
    y, p, names, x = drawn(1, 40_000)
    p = p * names.map({"a0": 3.0, "a1": 0.4, "a2": 1.0, "a3": 0.7}).to_numpy()
    assert judged((y, p, names, x)) is None


def test_a_feature_told_twice_counts_once():
    y, p, names, x = drawn(5, tilt=0.45)
    twice = x.assign(again=x["x0"], sum=x["x1"] + x["x2"])
    one, both = judged((y, p, names, x)), judged((y, p, names, twice))
    assert both.off == pytest.approx(one.off, rel=1e-6)


def test_the_features_that_tell_most_come_first_and_how_far_off_is_told():
    rng = np.random.default_rng(7)
    x = pd.DataFrame(rng.uniform(-1, 1, (60_000, 3)), columns=["calm", "much", "some"])
    p = np.full(len(x), 0.03)
    true = p * (1 + 0.8 * x["much"] - 0.4 * x["some"])
    y = (rng.random(len(x)) < true).astype(float)
    found = judged((y, p, pd.Series(["a"] * len(x)), x))
    assert found.by == ("much", "some", "calm")
    assert found.off == pytest.approx(np.sqrt((0.64 + 0.16) / 3), rel=0.1)


def test_a_small_misfit_is_borne_however_many_decisions_show_it():
    drawing = drawn(2, 400_000, tilt=0.1)  # off by 16 %
    assert judged(drawing) is None
    assert judged(drawing, misfit=0.05) is not None


def test_rare_actions_are_taken_together():
    drawing = drawn(4, 6000, tilt=0.0, actions=60)
    y, p, names, x = drawing
    tilted = np.random.default_rng(1).random(len(y)) < p * np.exp(1.5 * x["x0"])
    assert judged(drawing) is None
    assert judged((tilted.astype(float), p, names, x)).by[0] == "x0"


def test_the_last_rare_action_counts_with_the_others():
    """Ten events each; two are enough for a direction, the third is not lost."""
    calm = {"a": (10.0, 10.0, 0.0, 0.0, 10.0), "b": (10.0, 10.0, 0.0, 0.0, 10.0)}
    tilted = {"c": (12.0, 12.0, 12.0, 0.0, 12.0)}
    assert judge_tilt({'["x"]': calm}, 0.05, 0.0) is None
    assert judge_tilt({'["x"]': calm | tilted}, 0.05, 0.0).by == ("x",)


def test_days_with_other_features_are_judged_beside_each_other():
    y, p, names, x = drawn(8, tilt=0.45)
    half = len(y) // 2
    one = tilt_sums(y[:half], p[:half], names[:half], x[:half])
    other = tilt_sums(y[half:], p[half:], names[half:], x[half:].rename(columns={"x0": "new"}))
    found = (Foretold(tilts=one) + Foretold(tilts=other)).tilts
    assert [json.loads(key)[0] for key in found] == ["x0", "new"]
    assert {"x0", "new"} <= {*judge_tilt(found, CHANCE, 0.3).by}


def test_nothing_tells_of_nothing():
    empty = drawn(1, 0)
    assert tilt_sums(*empty) == {}
    assert judge_tilt({}, CHANCE, 0.3) is None
    y, p, names, x = drawn(1, 500)
    assert tilt_sums(y, p, names, x[[]]) == {}
    assert judged((np.zeros(500), p, names, x)) is None
    assert judged((y, p, names, x * 0)) is None


def test_bound_is_the_noncentral_one():
    """One direction, two actions: found when the sum of squares passes the bound, not before."""
    n, many = 400, []
    for above in range(200, 400, 2):
        y = np.repeat([1.0, 0.0, 1.0, 0.0], [above, 400 - above, 400 - above, above])
        x = pd.DataFrame({"x": np.repeat([1.0, -1.0], n)})
        actions = pd.Series(["a", "b"] * n)
        found = judged((y, np.full(2 * n, 0.5), actions, x))
        many.append(found is not None)
    bound = ncx2.isf(CHANCE, 2, 0.09 * 400)
    first = 200 + 2 * (int(np.sqrt(bound * 400) / 4) + 1)
    assert 200 + 2 * many.index(True) == first
