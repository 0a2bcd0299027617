import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.decisions.arbitration import Arbitration, arbitrate
from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError, SettingsError

pytestmark = pytest.mark.unit


def worth(customers, treatments):
    return customers["margin"].to_numpy()[:, None] * treatments.value


def loss(customers, treatments):
    return -2.0 * customers["margin"].to_numpy()[:, None]


HEADS = (Head("response", "response", worth), Head("opt_out", "opt_out", loss))
CUSTOMERS = pd.DataFrame({"margin": [10.0, 40.0]})


@pytest.fixture
def probabilities(treatments):
    rng = np.random.default_rng(5)
    return {head.name: rng.uniform(size=(2, len(treatments))) for head in HEADS}


def test_expected_value_is_the_sum_over_heads_minus_cost(treatments, probabilities):
    found = arbitrate(probabilities, CUSTOMERS, treatments, Arbitration(HEADS))
    margin = CUSTOMERS["margin"].to_numpy()[:, None]
    expected = (
        probabilities["response"] * margin * treatments.value
        - probabilities["opt_out"] * 2 * margin
        - treatments.cost
    )
    np.testing.assert_allclose(found.expected_value, expected, rtol=1e-12)
    np.testing.assert_allclose(found.score, expected, rtol=1e-12)
    np.testing.assert_allclose(sum(found.values.values()) - treatments.cost, expected, rtol=1e-12)


@given(*[st.booleans()] * 5)
def test_switches_turn_parts_into_one(p, c, v, lever, cost):
    treatments = Treatments(
        names=("a:x", "b:x"),
        action_id=np.array(["a", "b"]),
        channel=np.array(["x", "x"]),
        value=np.array([2.0, 3.0]),
        cost=np.array([0.5, 0.25]),
        lever=np.array([1.5, 0.5]),
    )
    chance, context = np.array([[0.1, 0.2]]), np.array([[4.0, 5.0]])
    rule = Arbitration(HEADS[:1], p, c, v, lever, cost)
    found = arbitrate({"response": chance}, CUSTOMERS[:1], treatments, rule, context)
    expected = (
        (chance if p else 1.0)
        * (context if c else 1.0)
        * (10.0 * treatments.value if v else 1.0)
        * (treatments.lever if lever else 1.0)
    ) - (treatments.cost if cost else 0.0)
    np.testing.assert_allclose(found.score, np.broadcast_to(expected, (1, 2)), rtol=1e-12)
    money = chance * 10.0 * treatments.value - treatments.cost
    np.testing.assert_allclose(found.expected_value, money, rtol=1e-12)


def test_missing_heads_and_wrong_shapes_are_refused(treatments, probabilities):
    with pytest.raises(DataError, match="no head purchase; it predicts response, opt_out"):
        arbitrate(
            probabilities, CUSTOMERS, treatments, Arbitration((Head("purchase", "p", worth),))
        )
    odd = Head("response", "response", lambda customers, treatments: np.zeros((3, 1)))
    with pytest.raises(DataError, match=r"head 'response': value gives an array of shape \(3, 1\)"):
        arbitrate(probabilities, CUSTOMERS, treatments, Arbitration((odd,)))


def test_incremental_value_is_the_difference_to_none(treatments, probabilities):
    found = arbitrate(probabilities, CUSTOMERS, treatments, Arbitration(HEADS))
    none = treatments.none
    difference = found.expected_value - found.expected_value[:, [none]]
    np.testing.assert_allclose(found.incremental_value, difference, rtol=1e-12)
    assert (found.incremental_value[:, none] == 0).all()


def test_incremental_ranking_weighs_only_what_a_treatment_adds(actions, probabilities):
    levers = [1.0, 2.0, 3.0, 0.5, 4.0]
    treatments = Treatments.from_frame(actions.assign(lever=levers))
    rule = Arbitration(HEADS, incremental=True)
    context = np.full((2, 1), 1.5)
    found = arbitrate(probabilities, CUSTOMERS, treatments, rule, context)
    none, margin = treatments.none, CUSTOMERS["margin"].to_numpy()[:, None]
    gain = {name: p - p[:, [none]] for name, p in probabilities.items()}
    money = gain["response"] * margin * treatments.value - gain["opt_out"] * 2 * margin
    expected = money * treatments.lever * 1.5 - treatments.cost
    np.testing.assert_allclose(found.score, expected, rtol=1e-12)
    assert (found.score[:, none] == 0).all()
    # Where every weight is 1 and a head is worth the same everywhere, the ranking is the same.
    flat, rule = Arbitration(HEADS[1:]), Arbitration(HEADS[1:], incremental=True)
    plain = Treatments.from_frame(actions)
    one, other = (arbitrate(probabilities, CUSTOMERS, plain, each).score for each in (flat, rule))
    np.testing.assert_array_equal(one.argsort(axis=1), other.argsort(axis=1))


def test_incremental_needs_none_and_propensity(actions, probabilities):
    with pytest.raises(SettingsError, match="'incremental' is a difference of propensities"):
        Arbitration(HEADS, propensity=False, incremental=True)
    always = Treatments.from_frame(actions[actions["treatment"] != "none"])
    fewer = {name: p[:, 1:] for name, p in probabilities.items()}
    with pytest.raises(DataError, match="measured against 'none', which the actions table lacks"):
        arbitrate(fewer, CUSTOMERS, always, Arbitration(HEADS, incremental=True))
    assert np.isnan(arbitrate(fewer, CUSTOMERS, always, Arbitration(HEADS)).incremental_value).all()


def test_weights_out_of_bounds_are_refused_by_name(treatments, probabilities):
    context = np.ones((2, len(treatments)))
    context[0, 1], context[1, 2] = 10.5, np.nan
    with pytest.raises(DataError, match="2 weights are not between 0 and 10 .roaming:email, roam"):
        arbitrate(probabilities, CUSTOMERS, treatments, Arbitration(HEADS), context)
    with pytest.raises(DataError, match=r"context gives an array of shape \(3, 1\)"):
        arbitrate(probabilities, CUSTOMERS, treatments, Arbitration(HEADS), np.ones((3, 1)))


@given(st.integers(0, 2**32 - 1))
def test_deviation_of_the_score_is_that_of_its_draws(seed):
    """By linearity: a deviation of one head moves the score by C·V·L times it."""
    rng = np.random.default_rng(seed)
    treatments = Treatments(
        ("a:x", "none"), *np.array([["a", "none"], ["x", "none"]]), *rng.uniform(0.1, 3, (3, 2))
    )
    p = {head.name: rng.uniform(size=(2, 2)) for head in HEADS}
    sd = {head.name: rng.uniform(0, 0.1, (2, 2)) for head in HEADS}
    rule, context = Arbitration(HEADS), rng.uniform(0, 10, (2, 2))

    def score(probabilities):
        return arbitrate(probabilities, CUSTOMERS, treatments, rule, context).score

    moved = [score({**p, name: p[name] + sd[name]}) - score(p) for name in p]
    found = arbitrate(p, CUSTOMERS, treatments, rule, context, sd).deviation
    np.testing.assert_allclose(found, np.sqrt(moved[0] ** 2 + moved[1] ** 2), rtol=1e-6)
