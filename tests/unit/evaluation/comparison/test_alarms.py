"""False alarms and power of whole comparisons on simulated logs, against what they promise.

With -s the slow ones print their numbers (docs/guides/compare-models.md quotes them).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import two_versions as made

from nextbest.evaluation.comparison.judged import Judged, compare_all
from nextbest.evaluation.comparison.planning import plan
from nextbest.evaluation.comparison.power import paired_power
from nextbest.evaluation.comparison.scoring import score_both

N, POWERED = 1_000, 3_000
METRICS = ("value", "auc", "log_loss")


def compared(first, second, seed, metrics=("value",), n=N):
    rows = made.decisions(n, seed)
    judged = Judged(rows, score_both(rows, first, second), made.HEADS[:1])
    found, failed = compare_all(judged, metrics, 0.95, checks=False)
    assert not failed
    return judged, {each.metric: each for each in found}


def false_alarms(count):
    """The share of A/A comparisons that call a difference, by metric: one policy, two seeds."""
    called = dict.fromkeys(METRICS, 0)
    for at in range(count):
        first, second = (made.decider(noise=1.0, seed=2 * at + side) for side in (0, 1))
        _, found = compared(first, second, 10_000 + at, METRICS)
        for metric, each in found.items():
            called[metric] += each.different(0.95)
    return {metric: hits / count for metric, hits in called.items()}


def worth(seed, epsilon):
    """The true value of a blurred policy with this share of chance, on many customers."""
    rows = made.decisions(100_000, seed=77)
    decider = made.decider(noise=1.0, seed=seed, epsilon=epsilon)
    eligible = decider.treatments.mask(rows["eligible"])
    truth = made.decider().scores(rows, eligible).expected_value
    chances = decider.policy.probabilities(decider.scores(rows, eligible).score, eligible)
    return float((chances * np.where(eligible, truth, 0.0)).sum(axis=1).mean())


def power_of(count):
    """Power at a true lift of 10 %: seen, foreseen by the analysis, told by the comparisons."""
    aim = worth(2, 0.1) / 1.1  # what the first must be worth
    greedy, chance = worth(1, 0.0), worth(1, 1.0)
    epsilon = (greedy - aim) / (greedy - chance)
    first = made.decider(noise=1.0, seed=1, epsilon=epsilon)
    better = made.decider(noise=1.0, seed=2, epsilon=0.1)
    lift = worth(2, 0.1) - worth(1, epsilon)
    assert lift / worth(1, epsilon) == pytest.approx(0.1, abs=1e-6)
    hits, spreads, told = 0, [], []
    for at in range(count):
        judged, found = compared(first, better, 20_000 + at, n=POWERED)
        value = found["value"]
        hits += value.different(0.95) and value.gain > 0
        spreads.append(value.spread)
        told.append(plan(value, judged.rows["value"].to_numpy()).power)
    spread = math.sqrt(np.mean(np.square(spreads)))
    return hits / count, paired_power(lift, spread, POWERED), float(np.mean(told))


@pytest.mark.unit
def test_few_comparisons_of_a_policy_with_itself_are_called_different():
    for metric, share in false_alarms(60).items():
        assert share <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 60), metric


@pytest.mark.slow
@pytest.mark.unit
def test_power_is_about_what_the_analysis_foresees():
    seen, foreseen, _ = power_of(60)
    assert 0.3 < foreseen < 0.97  # where power can be told from always and never
    assert seen == pytest.approx(foreseen, abs=3 * math.sqrt(0.25 / 60))


@pytest.mark.integration
@pytest.mark.slow
def test_at_most_65_of_1000_comparisons_of_a_policy_with_itself_are_called_different():
    found = false_alarms(1_000)
    print("A/A comparisons called different at .95:", found)
    assert max(found.values()) <= 0.065


@pytest.mark.integration
@pytest.mark.slow
def test_power_at_a_lift_of_10_percent_is_within_5_points_of_the_analysis():
    seen, foreseen, told = power_of(1_000)
    print(f"power at a lift of 10 %: seen {seen:.3f}, foreseen {foreseen:.3f}, told {told:.3f}")
    assert 0.3 < foreseen < 0.97
    assert seen == pytest.approx(foreseen, abs=0.05)
    assert told == pytest.approx(foreseen, abs=0.05)
