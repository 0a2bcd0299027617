import dataclasses

import numpy as np
import pandas as pd
import pytest

from nextbest.decisions.policy import Policy
from nextbest.errors import DataError
from nextbest.evaluation.ope import targets
from nextbest.evaluation.ope.targets import target_probabilities

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def case(make_customers, decider):
    customers = make_customers(500).set_index(np.arange(500) * 3)
    rng = np.random.default_rng(4)
    names = np.array(decider.treatments.names, dtype=object)
    sets = [["none", *rng.choice(names[names != "none"], 3, replace=False)] for _ in range(500)]
    return customers, sets, [str(rng.choice(names)) for names in sets]


@pytest.mark.parametrize("outcome", [None, "response"])
def test_it_is_the_policy_and_the_model(case, decider, outcome):
    customers, sets, logged = case
    found = target_probabilities(customers, sets, logged, decider, outcome)
    assert list(found.columns) == ["target_probability", "q_logged", "q_target"]
    assert (found.index == customers.index).all()
    eligible = decider.treatments.mask(sets)
    scores = decider.scores(customers, eligible)
    p = decider.policy.probabilities(scores.score, eligible)
    q = scores.expected_value if outcome is None else scores.probabilities["response"]
    at = (np.arange(500), decider.treatments.index(logged))
    np.testing.assert_array_equal(found["target_probability"], p[at])
    np.testing.assert_array_equal(found["q_logged"], q[at])
    np.testing.assert_allclose(found["q_target"], np.nansum(p * q, axis=1), rtol=1e-12)


def test_over_all_treatments_it_adds_up(case, decider):
    customers, sets, _ = case
    customers, sets = customers.head(50), sets[:50]
    each = [
        target_probabilities(customers, sets, [names[k] for names in sets], decider)
        for k in range(4)
    ]
    total = sum(part["target_probability"] for part in each)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    mean = sum(part["target_probability"] * part["q_logged"] for part in each)
    np.testing.assert_allclose(mean, each[0]["q_target"], rtol=1e-10)


def test_chunks_change_nothing(case, decider, monkeypatch):
    whole = target_probabilities(*case, decider)
    monkeypatch.setattr(targets, "CHUNK", 7)
    pd.testing.assert_frame_equal(whole, target_probabilities(*case, decider), check_exact=True)


def test_the_control_group_is_left_out(case, decider):
    greedy = dataclasses.replace(decider, policy=Policy("g", "1", 0.0, control_share=1.0))
    found = target_probabilities(*case, greedy)
    assert set(found["target_probability"]) == {0.0, 1.0}


def test_two_policies_under_one_q(case, decider):
    greedy = dataclasses.replace(decider, policy=Policy("g", "1", 0.0))
    rule = dataclasses.replace(decider.arbitration, value=False, cost=False)
    other = dataclasses.replace(greedy, arbitration=rule)
    ours = target_probabilities(*case, greedy)
    theirs = target_probabilities(*case, other, reference=decider)
    np.testing.assert_array_equal(ours["q_logged"], theirs["q_logged"])
    # Under the model's own q nothing is worth more than greedy by it.
    assert (ours["q_target"] >= theirs["q_target"]).all()
    assert (ours["q_target"] > theirs["q_target"]).any()
    fewer = dataclasses.replace(decider, treatments=dataclasses.replace(
        decider.treatments, names=decider.treatments.names[1:]))  # fmt: skip
    with pytest.raises(DataError, match="the reference knows 8 treatments, the decider 9"):
        target_probabilities(*case, decider, reference=fewer)


def test_bad_logs_are_refused(case, decider):
    customers, sets, logged = case
    with pytest.raises(DataError, match="500 feature rows, 500 eligible sets and 499 logged"):
        target_probabilities(customers, sets, logged[1:], decider)
    wrong = [next(n for n in decider.treatments.names if n not in sets[0]), *logged[1:]]
    with pytest.raises(DataError, match="1 logged treatments are not in their eligible set"):
        target_probabilities(customers, sets, wrong, decider)
    with pytest.raises(DataError, match="'click' is no head; there are response, opt_out"):
        target_probabilities(customers, sets, logged, decider, "click")
    empty = target_probabilities(customers[:0], [], [], decider)
    assert empty.shape == (0, 3)
