"""The whole path of a day: gates, scores, groups, floor, limits, draw; and what it logs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider, decide, weigh
from nextbest.decisions.drawing import draw
from nextbest.decisions.heads import Head
from nextbest.decisions.limits import limits_from
from nextbest.decisions.policy import Policy
from nextbest.decisions.rounding import draw_within
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError


@dataclasses.dataclass(frozen=True)
class Hashed:
    """A model whose probabilities differ by customer and treatment."""

    features: tuple[str, ...] = ("x",)

    def predict_matrix(self, customers, treatments, eligible=None):
        x = customers["x"].to_numpy()[:, None]
        p = np.abs(np.sin(x * 7 + np.arange(len(treatments)) * 3)) / 2 * ~treatments.is_none
        return {"response": np.where(eligible, p, np.nan)}

    def predict_deviations(self, customers, treatments, eligible=None):
        return {"response": np.where(eligible, 0.1 * ~treatments.is_none, np.nan)}


def ten(customers, treatments):
    return 10.0 * treatments.value[None, :]


def none(customers, treatments):
    return 0.0 * treatments.value[None, :]


def day(seed, n, **policy):
    """n customers with what they may get, a decider, limits that bind."""
    rng = np.random.default_rng(seed)
    rows = [("none", "none", "none", 0.0, None)]
    for offer in "ab":
        for channel in ("call", "sms"):
            capacity = int(rng.integers(0, n // 2 + 2)) if rng.random() < 0.5 else None
            rows.append((f"{offer}:{channel}", offer, channel, float(channel == "call"), capacity))
    columns = ["treatment", "action_id", "channel", "cost", "daily_capacity"]
    actions = pd.DataFrame(rows, columns=columns).assign(value=1.0, lever=1.0)
    actions["daily_capacity"] = actions["daily_capacity"].astype("Int64")
    limits = limits_from(actions, {"sms": int(rng.integers(1, n))}, n / 3)
    treatments = Treatments.from_frame(actions)
    rule = Arbitration((Head("response", "response", ten),))
    decider = Decider(Hashed(), treatments, rule, Policy("nba", "1", **policy))
    customers = pd.DataFrame(
        {"customer_id": [f"c-{i}" for i in range(n)], "x": rng.integers(0, 3, n) / 3}
    )
    eligible = rng.random((n, len(treatments))) < 0.7
    eligible[:, treatments.is_none] = True
    allowed = eligible | (rng.random(eligible.shape) < 0.5)
    return customers, eligible, allowed, decider, limits


POLICIES = [
    {"epsilon": 0.2, "control_share": 0.1},
    {"epsilon": 0.1, "floor": 0.08, "temperature": 0.5, "control_share": 0.1},
    {"epsilon": 0.1, "floor": 0.05, "draws": 40, "control_share": 0.2, "eligibility_share": 0.2},
]


@pytest.mark.unit
@given(st.integers(0, 10**6), st.integers(2, 40), st.sampled_from(POLICIES), st.integers(0, 99))
def test_nothing_forbidden_no_limit_exceeded_and_a_rerun_is_the_same(seed, n, policy, drawn):
    customers, eligible, allowed, decider, limits = day(seed, n, **policy)
    ids = np.array([f"d-{drawn}-{i}" for i in range(n)], dtype=object)
    found = decide(customers, eligible, ids, decider, drawn, allowed=allowed, limits=limits)
    choice = decider.treatments.index(found["treatment"])
    wider = found["reason_code"] == "eligibility_only"
    assert np.where(wider, allowed[np.arange(n), choice], eligible[np.arange(n), choice]).all()
    count = np.bincount(choice, minlength=len(decider.treatments))
    assert (limits.usage @ count <= limits.capacity + 1e-9).all()
    assert found["propensity"].between(0, 1, inclusive="right").all()
    best = np.where(eligible, weigh(customers, eligible, decider, allowed).scores.score, -np.inf)
    capped = (found["reason_code"] == "capped").to_numpy()
    assert (choice != best.argmax(axis=1))[capped].all()
    order = np.random.default_rng(seed).permutation(n)
    again = decide(
        customers.iloc[order], eligible[order], ids[order], decider, drawn,
        allowed=allowed[order], limits=limits,
    )  # fmt: skip
    pd.testing.assert_frame_equal(again, found.iloc[order].reset_index(drop=True))


@pytest.mark.unit
def test_limits_that_do_not_bind_change_no_probability():
    customers, eligible, _, decider, limits = day(3, 30, **POLICIES[0])
    roomy = dataclasses.replace(limits, capacity=limits.capacity + 1_000)
    ids = [f"d-{i}" for i in range(30)]
    weighed = weigh(customers, eligible, decider)
    drawn = draw(weighed, decider, ids, 1, roomy)
    np.testing.assert_allclose(drawn.probabilities, weighed.probabilities, atol=1e-11)
    assert not drawn.capped.any()
    with pytest.raises(DataError, match="29 decision ids are repeated"):
        draw(weighed, decider, ["d"] * 30, 1, roomy)


@pytest.mark.unit
def test_what_a_limit_kept_back_is_told():
    customers, eligible, _, decider, limits = day(3, 30, epsilon=0.0)
    none_left = dataclasses.replace(limits, capacity=np.zeros(len(limits)))
    found = decide(customers, eligible, np.array([f"d-{i}" for i in range(30)], dtype=object),
                   decider, 1, limits=none_left)  # fmt: skip
    limited = ~limits.free
    best = np.where(eligible, weigh(customers, eligible, decider).scores.score, -np.inf)
    kept_back = limited[best.argmax(axis=1)]
    assert kept_back.sum() > 5
    assert (found["reason_code"] == "capped").tolist() == kept_back.tolist()
    assert not limited[decider.treatments.index(found["treatment"])].any()
    assert (found["policy_propensity"][kept_back] == 0).all()


@pytest.mark.unit
def test_among_equals_no_limit_keeps_any_back():
    customers, eligible, _, decider, limits = day(3, 30, epsilon=0.0)
    roomy = dataclasses.replace(limits, capacity=limits.capacity + 1_000)
    worthless = dataclasses.replace(
        decider, arbitration=Arbitration((Head("response", "r", none),))
    )
    found = decide(customers, eligible, np.array([f"d-{i}" for i in range(30)], dtype=object),
                   worthless, 1, limits=roomy)  # fmt: skip
    assert not (found["reason_code"] == "capped").any()


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("policy", POLICIES, ids=["greedy", "softmax", "thompson"])
def test_logged_propensities_are_true(policy):
    """χ² of 100,000 days of the same customers: each draw moves all of them together."""
    customers, eligible, allowed, decider, limits = day(12, 12, **policy)
    weighed = weigh(customers, eligible, decider, allowed)
    counts = np.zeros(eligible.shape)
    ids = np.array([f"d-{i}" for i in range(12)], dtype=object)
    rows, days = np.arange(12), 100_000
    logged = draw(weighed, decider, ids, 0, limits).probabilities
    for seed in range(days):
        choice = draw_within(logged, limits, ids, seed)
        counts[rows, choice] += 1
        if seed % 10_000 == 7:  # bending does not depend on the seed, and takes most of the time
            drawn = draw(weighed, decider, ids, seed, limits)
            assert (drawn.probabilities == logged).all()
            assert (drawn.choice == choice).all()
    assert np.abs(logged - weighed.probabilities).max() > 0.1  # limits do bind
    assert counts[logged == 0].sum() == 0
    found = p_values(counts, logged)
    assert len(found) >= 8
    assert found.min() > 0.001 / len(found)  # .001 for all customers together
    assert p_values(counts, weighed.probabilities).min() < 1e-9  # and the policy's own are not true


def p_values(counts, p):
    """χ² of each customer who has a choice; what must not happen and happens is impossible."""
    found = []
    for seen, expected in zip(counts, p * counts[0].sum(), strict=True):
        possible = expected > 0
        if seen[~possible].any():
            found.append(0.0)
        elif possible.sum() > 1:
            score = ((seen[possible] - expected[possible]) ** 2 / expected[possible]).sum()
            found.append(chi2.sf(score, possible.sum() - 1))
    return np.array(found)
