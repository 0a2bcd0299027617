from __future__ import annotations

import numpy as np
import pytest

from nextbest.evaluation.concept import judge_concept
from nextbest.evaluation.foretold import Foretold, foretold
from nextbest.evaluation.ope.log import LOGGING, LoggedBatch, Target
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.recency import newest_lift, stories_differ, world_moved

pytestmark = pytest.mark.unit


def days(n, better, seed):
    """Two actions, chosen evenly; the candidate takes the second, worth `better` more."""
    rng = np.random.default_rng(seed)
    second = rng.random(n) < 0.5
    reward = rng.normal(1.0, 1.0, n) + better * second
    q = np.full(n, 1.0)
    return fold(LoggedBatch(reward, np.full(n, 0.5), {"c": Target(second.astype(float), q)}, q))


def test_a_lift_that_turned_leaves_only_the_newest_days():
    told = world_moved(days(4000, 0.5, 1), days(9000, -0.5, 2), "c", LOGGING)
    assert "newest 4,000 decisions" in told
    assert "9,000 older" in told


def test_in_a_steady_world_older_days_count_but_for_one_test_in_twenty():
    moved = [
        bool(world_moved(days(200, 0.2, seed), days(600, 0.2, seed + 10_000), "c", LOGGING))
        for seed in range(200)
    ]
    assert 0.01 <= np.mean(moved) <= 0.1


def test_what_says_nothing_contradicts_nothing():
    nothing = fold(
        LoggedBatch(np.ones(1), np.ones(1), {"c": Target(np.ones(1), np.ones(1))}, np.ones(1))
    )
    assert world_moved(nothing, days(2000, 3.0, 3), "c", LOGGING) == ""
    assert world_moved(days(2000, 0.2, 1), days(2000, 0.2, 2), "c", "a stranger") == ""


def test_few_successes_contradict_nothing():
    thin = fold(rare(60, 2))
    assert newest_lift(thin, "c", LOGGING) is None
    assert world_moved(thin, fold(rare(60_000, 3)), "c", LOGGING) == ""
    assert newest_lift(fold(rare(60_000, 3)), "c", LOGGING) is not None


def rare(n, seed):
    rng = np.random.default_rng(seed)
    second = rng.random(n) < 0.5
    reward = (rng.random(n) < np.where(second, 0.02, 0.01)).astype(float)
    q = np.full(n, 0.015)
    return LoggedBatch(reward, np.full(n, 0.5), {"c": Target(second.astype(float), q)}, q)


def outcomes(seed, n, worth):
    """Contacts about as many actions as `worth` has numbers; each is responded to so much more."""
    rng = np.random.default_rng(seed)
    p, actions = rng.uniform(0.01, 0.1, n), rng.choice(len(worth), n)
    came = (rng.random(n) < p * np.array(worth)[actions]).astype(float)
    return foretold(came, p, {"action": [f"a{each}" for each in actions]})


STEADY, OTHER = (1.0, 1.0, 1.0, 1.0), (2.5, 0.1, 1.0, 1.0)


def told(new, old, seed=0, n=1100):
    """What is told of so many days of a new world after as many of an old one."""
    worlds = [OTHER] * new + [STEADY] * old
    return stories_differ([outcomes(seed + at, n, each) for at, each in enumerate(worlds)])


def test_outcomes_tell_two_worlds_apart_before_values_do():
    text, days = told(7, 60)
    assert "on the newest decisions by action, other responses came" in text
    assert days == 7
    # A champion of the new world, held against the old one.
    learned = stories_differ([outcomes(at, 1100, STEADY if at < 7 else OTHER) for at in range(60)])
    assert "on the older decisions by action, other" in learned[0]
    assert learned[1] == 7


@pytest.mark.parametrize("new", [9, 12, 20])
def test_evidence_grows_with_the_days_of_the_new_world_and_not_beyond(new):
    found = [told(new, 60, 100 * seed)[1] for seed in range(10)]
    assert max(found) <= new
    assert np.median(found) >= new - 2


def test_one_story_is_no_other_whether_the_champion_is_right_or_wrong():
    assert told(0, 60) == ("", 0)
    assert told(60, 0) == ("", 0)
    assert told(7, 60, n=20) == ("", 0)
    assert stories_differ([Foretold()] * 40) == ("", 0)


def test_evidence_is_given_up_for_more_than_monitoring_speaks_of():
    milder = [outcomes(at, 9000, (1.4, 0.65, 1.0, 1.0) if at < 7 else STEADY) for at in range(30)]
    assert "other responses" in judge_concept(milder[:7]).moved
    assert stories_differ(milder) == ("", 0)


def test_in_a_steady_world_outcomes_seldom_tell_two_stories():
    assert sum(bool(told(0, 20, 1000 * seed, n=600)[0]) for seed in range(200)) <= 2
