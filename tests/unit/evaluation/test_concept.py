"""Outcomes against what was foretold: sums that add up, quiet in a season, loud in a new world."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from nextbest.errors import DataError
from nextbest.evaluation.concept import CHANCE, SUMS, Foretold, foretold, judge_concept
from nextbest.evaluation.metrics import calibration_slope

pytestmark = pytest.mark.unit


def draw(seed, n=9000, level=1.0, slope=1.0):
    """Outcomes and what was foretold; in the drawn world the logit is `slope` times as wide."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-3.4, 0.9, n)
    p = 1 / (1 + np.exp(-logit))
    true = 1 / (1 + np.exp(-(slope * (logit + 3.4) - 3.4)))
    return (rng.random(n) < np.minimum(level * true, 1)).astype(float), p


def sums(of):
    return [getattr(of, name) for name in SUMS]


def mixed(seed, n, worth, level=1.0):
    """Decisions of as many actions as `worth` has numbers: what each is responded to × p."""
    rng = np.random.default_rng(seed)
    y, p = draw(seed, n)
    actions = rng.choice(len(worth), n)
    true = np.minimum(p * level * np.array(worth)[actions], 1)
    return (rng.random(n) < true).astype(float), p, [f"a{each}" for each in actions]


@given(st.integers(0, 10**6), st.integers(1, 99))
def test_actions_of_parts_are_those_of_the_whole(seed, cut):
    y, p, actions = mixed(seed, 100, [1, 2, 0.5])
    whole = foretold(y, p, actions)
    parts = foretold(y[:cut], p[:cut], actions[:cut]) + foretold(y[cut:], p[cut:], actions[cut:])
    assert parts.actions.keys() == whole.actions.keys()
    for name, cell in whole.actions.items():
        assert parts.actions[name] == pytest.approx(cell, rel=1e-12)


def test_other_actions_than_foretold_are_a_new_world_at_the_same_level():
    seen = [
        judge_concept([foretold(*mixed(seed, 6000, [2.2, 0.2, 1.0, 1.0, 0.6]))]).moved
        for seed in range(40)
    ]
    assert sum("other actions are responded to" in text for text in seen) >= 38
    assert any("a1 " in text for text in seen)


def test_a_small_misfit_is_borne_however_many_decisions_show_it():
    found = judge_concept([foretold(*mixed(1, 400_000, [1.2, 0.8, 1.1, 0.9], level=1.2))])
    assert found.moved == ""


def test_quiet_actions_are_left_alone_rare_ones_too():
    spoke = 0
    for seed in range(400):
        found = foretold(*mixed(seed, 3000, [1.0] * 40, level=1 + 0.25 * np.sin(seed)))
        spoke += bool(judge_concept([found]).moved)
    assert spoke <= 1


def test_a_rare_action_that_everybody_suddenly_takes_is_not_overlooked():
    calm = {f"a{at}": (40.0, 40.0) for at in range(4)}
    assert not judge_concept([of(calm | {"rare": (2.0, 2.0)})]).moved
    found = judge_concept([of(calm | {"rare": (90.0, 2.0), "others": (40.0, 40.0)})])
    assert "(a0 or rare 130 for 60," in found.moved  # counted with the next in size
    rare = {"rare": (50.0, 1.0), "rarer": (40.0, 0.2), "rarest": (30.0, 0.1)}
    found = judge_concept([of({name: (cell[1], cell[1]) for name, cell in calm.items()} | rare)])
    assert "(a0 or 3 rarer ones 160 for 72," in found.moved


def of(actions):
    """Sums of decisions about these actions (name → came, foretold), with a slope of 1."""
    came, expected = (sum(cell[side] for cell in actions.values()) for side in (0, 1))
    return Foretold(9000, came, expected, -3 * (came - expected), expected, -3 * expected,
                    10 * expected, actions)  # fmt: skip


@given(st.integers(0, 10**6), st.integers(1, 99))
def test_sums_of_parts_are_those_of_the_whole(seed, cut):
    y, p = draw(seed, 100)
    whole, parts = foretold(y, p), foretold(y[:cut], p[:cut]) + foretold(y[cut:], p[cut:])
    assert sums(parts) == pytest.approx(sums(whole), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_slope_is_that_of_a_fit_where_little_moved(seed):
    y, p = draw(seed, 60_000)
    assert judge_concept([foretold(y, p)]).slope == pytest.approx(calibration_slope(y, p), abs=0.02)


def test_quiet_worlds_and_seasons_are_left_alone():
    """A thousand windows in which nothing moved, or a season raised or lowered the level."""
    spoke = 0
    for seed in range(1000):
        y, p = draw(seed, 3000, level=1 + 0.25 * np.sin(seed))
        spoke += bool(judge_concept([foretold(y, p)]).moved)
    assert spoke <= 1000 * CHANCE * 3


@pytest.mark.parametrize(
    ("world", "said"),
    [({"slope": 0.0}, "hardly does"), ({"level": 2.2}, "is borne"), ({"level": 0.4}, "is borne")],
)
def test_a_new_world_is_seen(world, said):
    seen = [judge_concept([foretold(*draw(seed, **world))]).moved for seed in range(50)]
    assert sum(said in text for text in seen) >= 49


def test_too_little_is_not_known():
    y, p = draw(1, 200)
    found = judge_concept([foretold(y, p)])
    assert (found.moved, found.known) == ("", False)
    assert "too few" in found.text
    assert not judge_concept([Foretold()]).known


def test_silence_where_many_were_foretold_is_seen():
    _, p = draw(2)
    found = judge_concept([foretold(np.zeros(len(p)), p)])
    assert found.known
    assert "0 events came where" in found.moved


@pytest.mark.parametrize(
    ("came", "expected", "seen"),
    [(0, 30, True), (15, 60, True), (25, 45, False), (90, 20, True)],
)
def test_few_events_speak_by_their_number_alone(came, expected, seen):
    found = judge_concept([of({"a": (came, expected)})])
    assert (bool(found.moved), found.known) == (seen, seen)
    assert np.isnan(found.slope)


def test_the_interval_of_the_level_is_that_of_the_count():
    found = judge_concept([of({"a": (40.0, 50.0)})])
    low, high = found.ratio_low * 50, found.ratio_high * 50
    assert poisson.sf(39, low) == pytest.approx(CHANCE / 4)
    assert poisson.cdf(40, high) == pytest.approx(CHANCE / 4)


def test_one_probability_for_all_has_no_slope():
    rng = np.random.default_rng(3)
    y = (rng.random(5000) < 0.03).astype(float)
    found = judge_concept([foretold(y, np.full(5000, 0.03))])
    assert found.moved == ""
    assert np.isnan(found.slope)


@pytest.mark.parametrize(
    ("y", "p"), [([2.0], [0.5]), ([1.0], [1.0]), ([0.0], [np.nan]), ([0.0, 1.0], [0.5])]
)
def test_what_can_not_be_is_refused(y, p):
    with pytest.raises(DataError):
        foretold(y, p)


def test_what_is_plain_is_seen_at_once_and_what_is_not_when_enough_has_come():
    calm = [foretold(*draw(seed, 3000)) for seed in range(2)]
    assert judge_concept([*calm, foretold(*draw(9, 3000, slope=0.0))]).moved
    faint = [foretold(*draw(seed, 1200, slope=0.3)) for seed in range(4)]
    assert not judge_concept(faint[:1]).moved
    assert judge_concept(faint).moved


def test_no_window_is_refused():
    with pytest.raises(DataError, match="no window"):
        judge_concept([])
