"""Outcomes against what was foretold: sums that add up, quiet in a season, loud in a new world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ncx2, poisson

from nextbest.errors import DataError
from nextbest.evaluation.concept import CHANCE, judge_concept
from nextbest.evaluation.foretold import Foretold, foretold
from nextbest.evaluation.metrics import calibration_slope
from nextbest.evaluation.tilt import tilt_sums

pytestmark = pytest.mark.unit


def draw(seed, n=9000, level=1.0, slope=1.0):
    """Outcomes and what was foretold; in the drawn world the logit is `slope` times as wide."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(-3.4, 0.9, n)
    p = 1 / (1 + np.exp(-logit))
    true = 1 / (1 + np.exp(-(slope * (logit + 3.4) - 3.4)))
    return (rng.random(n) < np.minimum(level * true, 1)).astype(float), p


def mixed(seed, n, worth, level=1.0):
    """Decisions of as many actions as `worth` has numbers: what each is responded to × p."""
    rng = np.random.default_rng(seed)
    y, p = draw(seed, n)
    actions = rng.choice(len(worth), n)
    true = np.minimum(p * level * np.array(worth)[actions], 1)
    return (rng.random(n) < true).astype(float), p, {"action": [f"a{each}" for each in actions]}


def test_other_actions_than_foretold_are_a_new_world_at_the_same_level():
    seen = [
        judge_concept([foretold(*mixed(seed, 6000, [2.2, 0.2, 1.0, 1.0, 0.6]))]).moved
        for seed in range(40)
    ]
    assert sum("by action, other responses came" in text for text in seen) >= 38
    assert any("a1: " in text for text in seen)


def by_feature(seed, worth, n=6000):
    """Decisions about two actions; who spends much responds `worth` times as foretold to one."""
    rng = np.random.default_rng(seed)
    y, p = draw(seed, n)
    action, spends = rng.choice(["tea", "mug"], n), rng.choice(["little", "much"], n)
    at = (action == "tea") & (spends == "much")
    swapped = (action == "mug") & (spends == "much")
    true = p * np.where(at, worth, np.where(swapped, 2 - worth, 1.0))
    cells = [f"{each} where spend {bin}" for each, bin in zip(action, spends, strict=True)]
    idle = [f"{each} where age {bin}" for each in action[:1] for bin in rng.choice(2, n)]
    came = (rng.random(n) < true).astype(float)
    return came, p, {"treatment": list(action), "age": idle, "spend": cells}


def test_other_customers_than_foretold_are_a_new_world_and_the_feature_is_named():
    """Nobody responds more, no treatment more than another among those who spend little."""
    seen = [judge_concept([foretold(*by_feature(seed, 1.9))]).moved for seed in range(40)]
    assert sum(text.startswith("by spend, other responses came") for text in seen) >= 38
    assert all("mug where spend much" in text for text in seen if "by spend" in text)
    assert not any("by age" in text or "so they did by age" in text for text in seen)


def test_features_that_tell_the_truth_are_left_alone():
    spoke = sum(
        bool(judge_concept([foretold(*by_feature(seed, 1.0))]).moved) for seed in range(400)
    )
    assert spoke <= 1


def test_all_features_share_one_chance():
    """A mix alone has the whole of it, beside nineteen calm ones a twentieth."""
    calm = {f"calm {at}": {f"c{at}": (100.0, 100.0), f"d{at}": (100.0, 100.0)} for at in range(19)}
    spoke = []
    for many in range(100, 200):
        cells = {"a": (float(many), 100.0), "b": (200.0 - many, 100.0)}
        spoke.append([
            bool(judge_concept([replace(of(cells), mixes={"x": cells} | others)]).moved)
            for others in ({}, calm)
        ])  # fmt: skip
    alone, beside = np.argmax(spoke, axis=0)
    share = [ncx2.isf(CHANCE / 4 / count, 1, 0.2**2 * 200) for count in (1, 20)]
    assert [alone, beside] == [int(np.floor(np.sqrt(each * 50))) + 1 for each in share]


def test_the_plainest_mix_is_told_in_full_and_the_others_by_name():
    moved = {f"x{at}": {"a": (80.0 - at, 40.0), "b": (40.0, 80.0)} for at in range(6)}
    text = judge_concept([replace(of({"a": (90.0, 90.0)}), mixes=moved)]).moved
    assert text.startswith("by x0, other responses came than were foretold (")
    assert text.endswith("; so they did by x1, x2, x3 and 2 more")


def test_many_features_that_each_tell_little_are_a_new_world_together():
    """Who responds to what depends on twelve features, each a little: no treatment tells of it."""
    spoke = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y, p = draw(seed, 6000)
        actions = rng.choice(["tea", "mug"], 6000)
        x = pd.DataFrame(rng.uniform(-1, 1, (6000, 12))).rename(columns="x{}".format)
        slope = np.where(actions == "tea", 0.4, -0.4)[:, None] * rng.choice([-1, 1], 12)
        came = (rng.random(6000) < p * np.exp((x * slope).sum(axis=1))).astype(float)
        told = foretold(came, p, {"treatment": actions})
        tilts = tilt_sums(came, p, pd.Series(actions), x)
        assert not judge_concept([told]).moved
        spoke.append(judge_concept([replace(told, tilts=tilts)]).moved)
        calm = tilt_sums(y, p, pd.Series(actions), x)
        assert not judge_concept([replace(foretold(y, p), tilts=calm)]).moved
    assert sum("features together tell of other customers" in text for text in spoke) >= 28


def test_what_features_are_asked_the_others_have_less_of_the_chance_for():
    told = of({"a": (40.0, 50.0)})
    low = judge_concept([told]).ratio_low * 50
    calm = {'["x"]': {"a": (40.0, 50.0, 0.0, 0.0, 10.0)}}
    asked = judge_concept([replace(told, tilts=calm)]).ratio_low * 50
    assert poisson.sf(39, [low, asked]) == pytest.approx([CHANCE / 4, CHANCE / 5])


def test_the_cells_furthest_off_come_first():
    told = of({"a": (90.0, 90.0)})
    cells = {f"c{at:02d}": (40.0 + at, 50.0) for at in range(20)} | {"much": (200.0, 50.0)}
    (mix,) = judge_concept([replace(told, mixes={"x": cells})]).otherwise
    assert (mix.by, len(mix.cells)) == ("x", 10)
    assert mix.cells[0][:2] == ("much", 200.0)
    level = sum(cell[0] for cell in cells.values()) / (21 * 50)
    assert mix.cells[0][2] == pytest.approx(50 * level)


def test_a_mix_that_some_days_lack_is_judged_by_the_days_that_have_it():
    without = replace(of({"a": (300.0, 100.0)}), mixes={})
    within = replace(of({"a": (100.0, 100.0)}), mixes={"x": {"c": (50.0, 50.0), "d": (50.0, 50.0)}})
    assert "by x" not in judge_concept([without, within]).moved


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
    assert "(a0 or rare: 130 for 60," in found.moved  # counted with the next in size
    rare = {"rare": (50.0, 1.0), "rarer": (40.0, 0.2), "rarest": (30.0, 0.1)}
    found = judge_concept([of({name: (cell[1], cell[1]) for name, cell in calm.items()} | rare)])
    assert "(a0 or 3 rarer ones: 160 for 72," in found.moved


def of(actions):
    """Sums of decisions about these actions (name → came, foretold), with a slope of 1."""
    came, expected = (sum(cell[side] for cell in actions.values()) for side in (0, 1))
    return Foretold(9000, came, expected, -3 * (came - expected), expected, -3 * expected,
                    10 * expected, {"action": actions})  # fmt: skip


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


def test_what_is_plain_is_seen_at_once_and_what_is_not_when_enough_has_come():
    calm = [foretold(*draw(seed, 3000)) for seed in range(2)]
    assert judge_concept([*calm, foretold(*draw(9, 3000, slope=0.0))]).moved
    faint = [foretold(*draw(seed, 1200, slope=0.3)) for seed in range(4)]
    assert not judge_concept(faint[:1]).moved
    assert judge_concept(faint).moved


def test_no_window_is_refused():
    with pytest.raises(DataError, match="no window"):
        judge_concept([])
