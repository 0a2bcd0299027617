import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nextbest.decisions.policy import Policy, uniform_probabilities
from nextbest.decisions.randomness import choose
from nextbest.errors import DataError, SettingsError

pytestmark = pytest.mark.unit

SCORE = st.floats(-1e6, 1e6)
POLICY = st.builds(
    Policy,
    name=st.just("p"),
    version=st.just("1"),
    epsilon=st.floats(0, 1),
    temperature=st.one_of(st.just(0.0), st.floats(1e-6, 1e6)),
    floor=st.floats(0, 1 / 8),
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
    floor = np.maximum(policy.epsilon / eligible.sum(axis=1, keepdims=True), policy.floor)
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


def test_the_floor_holds_and_must_have_room():
    scores = np.array([[1.0, 2.0, 9.0], [np.nan, 2.0, 1.0]])
    found = Policy("p", "1", epsilon=0.1, floor=0.2).probabilities(scores, ELIGIBLE)
    np.testing.assert_allclose(found, [[0.2, 0.2, 0.6], [0.0, 0.8, 0.2]], atol=1e-15)
    # Where ε gives more than the floor, the floor changes nothing.
    same = Policy("p", "1", epsilon=0.9, floor=0.2).probabilities(scores, ELIGIBLE)
    np.testing.assert_array_equal(
        same, Policy("p", "1", epsilon=0.9).probabilities(scores, ELIGIBLE)
    )
    third = Policy("p", "1", epsilon=0.0, floor=1 / 3).probabilities(scores, ELIGIBLE)
    np.testing.assert_allclose(third[0], 1 / 3, rtol=1e-12)
    with pytest.raises(DataError, match=r"floor of 0.4 .* in 1 of 2 rows; with 3 .* most 0.333"):
        Policy("p", "1", epsilon=0.0, floor=0.4).probabilities(scores, ELIGIBLE)


def test_rankings_exclude_each_other_and_thompson_needs_deviations():
    with pytest.raises(SettingsError, match="draws is 2.5; it must be a whole number"):
        Policy("p", "1", epsilon=0.1, draws=2.5)
    with pytest.raises(SettingsError, match="both a temperature and draws"):
        Policy("p", "1", epsilon=0.1, temperature=1.0, draws=10)
    with pytest.raises(SettingsError, match=r"control_share \+ eligibility_share is 1.2"):
        Policy("p", "1", epsilon=0.1, control_share=0.6, eligibility_share=0.6)
    with pytest.raises(DataError, match="needs the scores' standard deviation"):
        Policy("p", "1", epsilon=0.1, draws=10).probabilities(np.zeros((2, 3)), ELIGIBLE)


def test_a_policy_of_an_earlier_release_can_be_read():
    """A registered model holds its policy pickled, without the fields that came later."""
    old = object.__new__(Policy)
    old.__dict__.update(
        name="p", version="1", epsilon=0.1, temperature=0.0, control_share=0.0, control_salt="c"
    )
    scores = np.zeros((2, 3))
    now = Policy("p", "1", 0.1, control_salt="c")
    assert old == now
    assert (old.probabilities(scores, ELIGIBLE) == now.probabilities(scores, ELIGIBLE)).all()
