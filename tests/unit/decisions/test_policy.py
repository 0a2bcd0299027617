import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import chisquare, kstest

from nextbest.decisions.policy import (
    Policy,
    choose,
    control_group,
    uniform_probabilities,
    uniforms,
)
from nextbest.errors import DataError, SettingsError

pytestmark = pytest.mark.unit

SCORE = st.floats(-1e6, 1e6)
POLICY = st.builds(
    Policy,
    name=st.just("p"),
    version=st.just("1"),
    epsilon=st.floats(0, 1),
    temperature=st.one_of(st.just(0.0), st.floats(1e-6, 1e6)),
)


@st.composite
def scored(draw):
    n, k = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    scores = draw(hnp.arrays(float, (n, k), elements=SCORE))
    eligible = draw(hnp.arrays(bool, (n, k)))
    eligible[np.arange(n), draw(hnp.arrays(int, n, elements=st.integers(0, k - 1)))] = True
    return np.where(eligible, scores, np.nan), eligible


@given(POLICY, scored())
def test_probabilities_are_a_distribution_over_eligible(policy, case):
    scores, eligible = case
    found = policy.probabilities(scores, eligible)
    assert np.abs(found.sum(axis=1) - 1).max() <= 1e-12
    assert (found[~eligible] == 0).all()
    floor = policy.epsilon / eligible.sum(axis=1, keepdims=True)
    assert (found >= np.where(eligible, floor, 0.0) * (1 - 1e-12)).all()
    assert (found == policy.probabilities(scores.copy(), eligible.copy())).all()


@given(POLICY, scored())
def test_a_better_score_is_never_less_likely(policy, case):
    scores, eligible = case
    found = policy.probabilities(scores, eligible)
    for row, allowed, p in zip(scores, eligible, found, strict=True):
        order = np.argsort(-row[allowed], kind="stable")
        assert (np.diff(p[allowed][order]) <= 1e-12).all()


@given(POLICY, scored())
def test_control_rows_are_uniform_and_exact(policy, case):
    scores, eligible = case
    control = np.arange(len(scores)) % 2 == 0
    found = policy.probabilities(scores, eligible, control)
    assert (found[control] == uniform_probabilities(eligible)[control]).all()
    assert (found[~control] == policy.probabilities(scores, eligible)[~control]).all()


@given(POLICY, scored(), st.floats(0, 1, exclude_max=True))
def test_what_is_drawn_is_possible(policy, case, u):
    scores, eligible = case
    found = policy.probabilities(scores, eligible)
    for draw in (u, 0.0, 1.0 - 2.0**-53):
        choice = choose(found, np.full(len(found), draw))
        assert (found[np.arange(len(found)), choice] > 0).all()


def test_greedy_takes_the_first_of_equals():
    policy = Policy("p", "1", epsilon=0.0)
    found = policy.probabilities(np.array([[5.0, 5.0, 1.0], [9.0, 5.0, 5.0]]), ELIGIBLE)
    assert found.tolist() == [[1, 0, 0], [0, 1, 0]]


ELIGIBLE = np.array([[True, True, True], [False, True, True]])


def test_rows_that_cannot_be_decided_are_refused():
    policy = Policy("p", "1", epsilon=0.1)
    with pytest.raises(DataError, match="1 of 2 customers have no eligible treatment"):
        policy.probabilities(np.zeros((2, 3)), ELIGIBLE & [[True], [False]])
    with pytest.raises(DataError, match="1 of 2 rows have an eligible treatment whose score"):
        policy.probabilities(np.array([[0, np.nan, 0], [np.inf, 0, 0]]), ELIGIBLE)


def test_numbers_out_of_range_are_refused_together():
    with pytest.raises(SettingsError, match="epsilon is 1.5.*temperature is -1.*control_share is"):
        Policy("p", "1", epsilon=1.5, temperature=-1.0, control_share=float("nan"))


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_logged_propensities_are_true(temperature):
    """χ² of 100,000 draws of the whole path: hash, control group, policy, inverse CDF."""
    policy = Policy("p", "1", 0.2, temperature, control_share=0.0)
    scores = np.array([[1.0, 2.0, 3.0, 2.5, 0.1]])
    eligible = np.array([[True, True, True, True, False]])
    p = policy.probabilities(scores, eligible)[0]
    ids = np.array([f"nba-20260131-{n}" for n in range(100_000)], dtype=object)
    choice = choose(np.tile(p, (len(ids), 1)), uniforms(ids, seed=11))
    counts = np.bincount(choice, minlength=5)
    assert counts[4] == 0
    assert chisquare(counts[:4], p[:4] * len(ids)).pvalue > 0.001
    wrong = np.roll(p[:4], 1)
    assert chisquare(counts[:4], wrong * len(ids)).pvalue < 1e-9


def test_uniforms_are_uniform_repeatable_and_differ_by_seed():
    ids = np.array([f"d-{n}" for n in range(50_000)], dtype=object)
    u = uniforms(ids, 1)
    assert kstest(u, "uniform").pvalue > 0.001
    assert u.min() >= 0
    assert u.max() < 1
    assert (u[::-1] == uniforms(ids[::-1], 1)).all()
    assert abs(np.corrcoef(u, uniforms(ids, 2))[0, 1]) < 0.02
    # The same in every process, release and machine: a logged seed must stay meaningful.
    assert uniforms(["d-0"], 1)[0] == pytest.approx(EXPECTED, abs=0)


EXPECTED = 0.10739103461713961


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_control_group_is_persistent_and_nested(one, other):
    ids = np.array([f"c-{n}" for n in range(2_000)], dtype=object)
    small, large = sorted((one, other))
    few, many = control_group(ids, "s", small), control_group(ids, "s", large)
    assert (few <= many).all()
    assert (few[:10] == control_group(ids[:10], "s", small)).all()
    assert abs(few.mean() - small) < 5 * np.sqrt(0.25 / len(ids))


def test_control_group_is_independent_of_draws_and_salts():
    ids = np.array([f"c-{n}" for n in range(50_000)], dtype=object)
    member = control_group(ids, "s", 0.5)
    assert abs(np.corrcoef(member, control_group(ids, "t", 0.5))[0, 1]) < 0.02
    assert abs(np.corrcoef(member, uniforms(ids, 0))[0, 1]) < 0.02
