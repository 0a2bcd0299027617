import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.decisions.arbitration import Arbitration, arbitrate
from nextbest.decisions.heads import Head
from nextbest.errors import DataError

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
    from nextbest.decisions.treatments import Treatments

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
