"""Moments are a commutative monoid, and so is everything computed from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nextbest.errors import DataError, SettingsError
from nextbest.evaluation.ope.blocks import WEIGHT_EDGES, weight_counts
from nextbest.evaluation.ope.estimators import available, lift, value_of
from nextbest.evaluation.ope.log import LoggedBatch, Target
from nextbest.evaluation.ope.moments import BLOCK, Moments, fold
from nextbest.evaluation.ope.terms import Shrinkage
from nextbest.evaluation.ope.value import evaluate

pytestmark = pytest.mark.unit


@st.composite
def logs(draw):
    """Small logs of any kind: constant rewards, equal policies and lone rows among them."""
    n = draw(st.integers(1, 40))

    def column(low, high):
        values = st.floats(low, high, allow_subnormal=False)
        return draw(arrays("float64", n, elements=values) | values.map(lambda v: np.full(n, v)))

    first = column(0.001, 1)
    second = draw(st.sampled_from([first, first[::-1], np.ones(n)]))
    q = column(-1, 1)
    targets = {"a": Target(first, column(-1, 1)), "b": Target(second, q)}
    return LoggedBatch(column(-10, 10), column(0.01, 1), targets, q)


def part(log: LoggedBatch, rows) -> LoggedBatch:
    targets = {
        name: Target(
            target.probability[rows],
            target.q_target[rows],
            None if target.unsupported is None else target.unsupported[rows],
        )
        for name, target in log.targets.items()
    }
    return LoggedBatch(log.reward[rows], log.propensity[rows], targets, log.q_logged[rows])


def estimates(moments: Moments):
    names = available(moments)
    return [
        *(value_of(moments, policy, name) for policy in ("a", "b") for name in names),
        *(lift(moments, "a", over, estimator=name) for over in ("b", "logging") for name in names),
    ]


def scale_of(moments: Moments) -> float:
    """The size of the numbers that were added up: the unit of any rounding."""
    spread = np.linalg.norm(moments.root, axis=0) / np.sqrt(moments.n)
    low = min(1.0, *(moments.mean[moments.at(f"{policy}.w")] for policy in ("a", "b")))
    return float(max(1.0, *(np.abs(moments.mean) + spread)) / low)


def assert_same(found: Moments, expected: Moments):
    limit = 1e-12 * max(1.0, scale_of(expected))
    for one, other in zip(estimates(found), estimates(expected), strict=True):
        assert one.n == other.n
        assert (one.value, one.low, one.high) == pytest.approx(
            (other.value, other.low, other.high), rel=1e-12, abs=limit
        )


@given(logs(), st.data())
def test_any_split_in_any_order_gives_the_same_estimates_and_intervals(log, data):
    order = np.array(data.draw(st.permutations(range(len(log)))), dtype=int)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=6)))
    parts = [fold(part(log, rows)) for rows in np.split(order, cuts)]
    whole = fold(log)
    merged = sum(parts, Moments.zero(whole.layout))
    assert_same(merged, whole)
    assert merged.max_weight.tolist() == whole.max_weight.tolist()
    assert merged.weight_counts.tolist() == whole.weight_counts.tolist()


@pytest.mark.parametrize("pieces", [2, 7, 100])
def test_a_long_log_is_split_without_a_trace(bandit, pieces):
    log = bandit.draw(3 * BLOCK + 17, seed=1)
    shuffled = np.random.default_rng(2).permutation(len(log))
    whole = fold(log)
    parts = [fold(part(log, rows)) for rows in np.array_split(shuffled, pieces)]
    for merged in (sum(parts[1:], parts[0]), sum(parts[::-1], Moments.zero(whole.layout))):
        for name in available(whole):
            one, other = (lift(m, "candidate", estimator=name) for m in (merged, whole))
            assert one.value == pytest.approx(other.value, rel=0, abs=1e-14)
            assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=0, abs=1e-13)


def test_moments_are_the_textbook_sums(bandit):
    log = bandit.draw(5000, seed=3)
    moments = fold(log)
    w = log.targets["candidate"].probability / log.propensity
    columns = np.stack([log.reward, w, w * log.reward])
    places = [moments.at(term) for term in ("reward", "candidate.w", "candidate.wr")]
    assert moments.mean[places] == pytest.approx(columns.mean(axis=1), rel=1e-14)
    covariance = moments.scatter[np.ix_(places, places)] / (len(log) - 1)
    assert covariance == pytest.approx(np.cov(columns), rel=1e-12)
    assert moments.weight_counts[0].sum() == len(log)
    assert moments.positives[0] == np.count_nonzero((log.reward > 0) & (w > 0))


def test_constant_rewards_and_equal_policies_leave_no_uncertainty_at_all():
    # The square root of a rounded variance would show a standard error near 1e-8 here.
    rng = np.random.default_rng(4)
    p, target = rng.uniform(0.05, 1, 3000), rng.uniform(0, 1, 3000)
    q = rng.uniform(0, 1, 3000)
    log = LoggedBatch(np.full(3000, 0.3), p, {"a": Target(target, q), "b": Target(target, q)}, q)
    parts = [fold(part(log, slice(start, start + 31))) for start in range(0, 3000, 31)]
    moments = sum(parts[1:], parts[0])
    assert value_of(moments, "a", "snips").value == pytest.approx(0.3, abs=1e-14)
    assert value_of(moments, "a", "snips").standard_error < 1e-14
    assert lift(moments, "a", "b", estimator="sndr").standard_error < 1e-14


def test_cancelling_rewards_are_summed_without_loss():
    # 1e16 + 1 is 1e16 in floats: without the carry the ones would be lost on the way.
    rewards = np.concatenate([[1e16], np.ones(100), [-1e16]])
    one = np.ones(1)
    parts = [fold(LoggedBatch([reward], one, {"a": Target(one)})) for reward in rewards]
    merged = sum(parts, Moments.zero(parts[0].layout))
    assert value_of(merged, "a", "ips").value == 100.0 / 102.0


def test_an_empty_batch_is_zero_but_an_empty_log_is_refused():
    empty = fold(LoggedBatch([], [], {"a": Target([])}))
    one = fold(LoggedBatch([1.0], [0.5], {"a": Target([0.5])}))
    assert (empty + one).n == (one + empty).n == 1
    with pytest.raises(DataError, match="the log is empty"):
        evaluate(empty, "a")


def test_only_moments_of_the_same_columns_add_up():
    one = fold(LoggedBatch([1.0], [0.5], {"a": Target([0.5])}))
    other = fold(LoggedBatch([1.0], [0.5], {"b": Target([0.5])}))
    with pytest.raises(DataError, match="moments of different columns"):
        one + other
    wide = Shrinkage("switch_dr", "switch", 9.0)
    log = LoggedBatch([1.0], [0.5], {"a": Target([0.5], [0.1])}, [0.1])
    with pytest.raises(DataError, match="moments of different columns"):
        fold(log) + fold(log, (wide,))


def test_a_shrinkage_takes_no_name_of_another_estimator():
    log = LoggedBatch([1.0], [0.5], {"a": Target([0.5], [0.1])}, [0.1])
    taken = [Shrinkage(name, "switch", 9.0) for name in ("dr", "w", "mine.w")]
    with pytest.raises(SettingsError, match=r"dr, w, mine\.w is what something else is called"):
        fold(log, (*taken, Shrinkage("mine", "switch", 2.0)))


def test_a_weight_beyond_floats_is_refused():
    with pytest.raises(DataError, match=r"a\.w, a\.wr left the range of a float"):
        fold(LoggedBatch([1.0], [5e-324], {"a": Target([1.0])}))


def test_shrunk_values_keep_their_digits_beside_enormous_weights():
    rng = np.random.default_rng(0)
    n, p = 300, 10 ** np.random.default_rng(1).uniform(-9, 0, 300)
    pi, reward, q, q_target = rng.random(n), *rng.normal(size=(3, n))
    log = LoggedBatch(reward, p, {"a": Target(pi, q_target), "b": Target(pi[::-1], q)}, q)
    rows = np.array_split(rng.permutation(n), 7)
    split, whole = sum((fold(part(log, at)) for at in rows[1:]), fold(part(log, rows[0]))), fold(
        log
    )
    weight = pi / p
    direct = {
        "clipped_ips": np.minimum(weight, 10) * reward,
        "switch_dr": q_target + weight * (weight <= 5) * (reward - q),
        "dros": q_target + 5 * weight / (weight**2 + 5) * (reward - q),
        "sg_dr": q_target + weight / (0.9 + 0.1 * weight) * (reward - q),
    }
    for name, terms in direct.items():
        assert value_of(whole, "a", name).value == pytest.approx(terms.mean(), rel=1e-13)
        for field in ("value", "low", "high"):
            left, right = (getattr(value_of(each, "a", name), field) for each in (split, whole))
            assert left == pytest.approx(right, rel=1e-12)


def test_weights_are_counted_by_powers_of_two():
    weights = np.array([-0.0, 0.0, 5e-324, 1 / 64, 0.99, 1.0, 1.5, 2.0, 8191.9, 8192.0, 1e300])
    weights = np.concatenate([weights, np.exp(np.random.default_rng(1).normal(0, 4, 5000))])
    # subnormal numbers are none: they are below the first edge
    expected = np.histogram(weights, [-np.inf, *WEIGHT_EDGES, np.inf])[0]
    assert weight_counts(weights).tolist() == expected.tolist()
