import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.control import ELIGIBILITY_ONLY, POLICY, control_groups
from nextbest.decisions.decide import Decider, decide, decision_ids, score_columns, weigh
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


@dataclasses.dataclass(frozen=True)
class Linear:
    """A model whose probabilities can be read off: x/100 for every treatment, 0 for none."""

    features: tuple[str, ...] = ("x",)

    def predict_matrix(self, customers, treatments, eligible=None):
        p = customers["x"].to_numpy()[:, None] / 100 * ~treatments.is_none
        return {"response": np.where(eligible, p, np.nan)}


def worth(customers, treatments):
    return 10.0 * treatments.value[None, :]


ARBITRATION = Arbitration((Head("response", "response", worth),))


@pytest.fixture
def decider(treatments):
    policy = Policy("nba", "3", epsilon=0.2, control_share=0.3)
    return Decider(Linear(), treatments, ARBITRATION, policy)


@pytest.fixture
def case(treatments):
    n = 4_000
    rng = np.random.default_rng(1)
    customers = pd.DataFrame(
        {"customer_id": [f"c-{i}" for i in range(n)], "x": rng.uniform(size=n)}
    )
    eligible = rng.uniform(size=(n, len(treatments))) < 0.6
    eligible[:, 0] = True
    return customers, eligible, decision_ids(customers["customer_id"], "nba", "2026-01-31")


def test_decisions_are_eligible_and_their_propensities_exact(case, decider, treatments):
    customers, eligible, ids = case
    found = decide(customers, eligible, ids, decider, seed=4)
    choice = treatments.index(list(found["treatment"]))
    at = (np.arange(len(found)), choice)
    assert eligible[at].all()
    control = found["control_group"].to_numpy()
    p = decider.policy.probabilities(decider.scores(customers, eligible).score, eligible)
    counts = eligible.sum(axis=1)
    assert (found["propensity"].to_numpy()[control] == 1 / counts[control]).all()
    assert (found["propensity"].to_numpy()[~control] == p[at][~control]).all()
    assert abs(control.mean() - 0.3) < 0.03
    assert not found.isna().any().any()


def test_codes_and_reasons_tell_how_it_was_chosen(case, decider):
    customers, eligible, ids = case
    found = decide(customers, eligible, ids, decider, seed=4)
    scores = np.where(eligible, decider.scores(customers, eligible).score, -np.inf)
    best = found["score"].to_numpy() == scores.max(axis=1)
    control, alone = found["control_group"].to_numpy(), eligible.sum(axis=1) == 1
    code = found["reason_code"]
    assert code.eq("control").eq(control).all()
    assert code.eq("only_eligible").eq(alone & ~control).all()
    assert code.eq("best").eq(best & ~alone & ~control).all()
    assert code.eq("explored").eq(~best & ~alone & ~control).all()
    assert code.nunique() == 4
    at = int(np.flatnonzero(code == "best")[0])
    assert found["reason"][at] == f"best score of {eligible[at].sum()} eligible"


def test_incremental_value_is_against_none(case, decider):
    customers, eligible, ids = case
    eligible = eligible.copy()
    eligible[:7, 0], eligible[:7, 1] = False, True  # "none" is the measure, open or not
    found = decide(customers, eligible, ids, decider, seed=4)
    # Under this model "none" is worth nothing.
    np.testing.assert_allclose(found["incremental_value"], found["expected_value"], atol=1e-15)
    assert (found.loc[found["treatment"] == "none", "incremental_value"] == 0).all()


def test_the_eligibility_only_group_chooses_from_what_eligibility_allows(case, decider):
    customers, eligible, ids = case
    policy = dataclasses.replace(decider.policy, eligibility_share=0.2)
    decider = dataclasses.replace(decider, policy=policy)
    allowed = np.ones_like(eligible)
    found = decide(customers, eligible, ids, decider, 4, allowed=allowed)
    groups = control_groups(customers["customer_id"], "control", 0.3, 0.2)
    only = groups == ELIGIBILITY_ONLY
    assert (found["control_group"] == (groups != POLICY)).all()
    assert ((found["reason_code"] == "eligibility_only") == only).all()
    assert (found["propensity"][only] == 1 / eligible.shape[1]).all()
    choice = decider.treatments.index(list(found["treatment"]))
    inside = eligible[np.arange(len(found)), choice]
    assert inside[~only].all()
    assert not inside[only].all()
    with pytest.raises(DataError, match="0.2 of all customers choose from what eligibility alone"):
        decide(customers, eligible, ids, decider, 4)


@dataclasses.dataclass(frozen=True)
class Unsure(Linear):
    """The same model, which knows that it may err."""

    def predict_deviations(self, customers, treatments, eligible=None):
        p = self.predict_matrix(customers, treatments, eligible)["response"]
        return {"response": 0.5 * p + 0.001 * np.arange(p.shape[1])}


@pytest.mark.parametrize(
    "policy",
    [
        {"epsilon": 0.2},
        {"epsilon": 0.0, "floor": 0.05},
        {"epsilon": 0.1, "temperature": 0.02},
        {"epsilon": 0.05, "draws": 40},
        {"epsilon": 0.1, "floor": 0.1, "draws": 40, "control_share": 0.3, "eligibility_share": 0.3},
    ],
    ids=["epsilon", "floor", "softmax", "thompson", "all, with control groups"],
)
def test_logged_propensities_are_true(policy, treatments):
    """χ² of 100,000 draws of the whole path, over twenty customers with eligible sets of chance."""
    rng = np.random.default_rng(5)
    who, k = 20, len(treatments)
    customers = pd.DataFrame({"customer_id": [f"c-{i}" for i in range(who)], "x": rng.random(who)})
    eligible = rng.random((who, k)) < 0.7
    eligible[:, 0] = True
    allowed = eligible | (rng.random((who, k)) < 0.5)
    decider = Decider(Unsure(), treatments, ARBITRATION, Policy("nba", "1", **policy))
    weighed = weigh(customers, eligible, decider, allowed)
    if "control_share" in policy:
        assert set(weighed.groups) == {0, 1, 2}
    each = np.tile(np.arange(who), 5_000)
    ids = np.array([f"d-{n}" for n in range(len(each))], dtype=object)
    found = decide(
        customers.iloc[each], eligible[each], ids, decider, seed=11, allowed=allowed[each]
    )
    choice = treatments.index(list(found["treatment"]))
    assert (found["propensity"] == weighed.probabilities[each, choice]).all()
    counts = np.zeros((who, k))
    np.add.at(counts, (each, choice), 1)
    assert p_value(counts, weighed.probabilities) > 0.001
    assert p_value(counts, weighed.probabilities[::-1] * 0.1 + weighed.probabilities * 0.9) < 1e-9


def p_value(counts, probabilities):
    """Of χ² over all customers; what must not happen and happens is impossible."""
    possible = probabilities > 0
    if counts[~possible].any():
        return 0.0
    expected = (probabilities * counts.sum(axis=1, keepdims=True))[possible]
    free = possible.sum() - len(counts)
    return chi2.sf(((counts[possible] - expected) ** 2 / expected).sum(), free)


@given(st.integers(0, 2**32 - 1))
def test_random_catalogs_order_and_parts(chance):
    """Whatever is eligible: only that is chosen, and neither order nor split changes a choice."""
    rng = np.random.default_rng(chance)
    n, k = int(rng.integers(1, 40)), int(rng.integers(1, 12))
    catalog = Treatments(
        names=("none", *(f"a{j:02d}:x" for j in range(k))),
        action_id=np.array(["none", *(f"a{j:02d}" for j in range(k))], dtype=object),
        channel=np.array(["none", *["x"] * k], dtype=object),
        value=rng.normal(size=k + 1),
        cost=rng.random(k + 1),
        lever=rng.uniform(0, 10, k + 1),
    )
    rule = dataclasses.replace(
        ARBITRATION, incremental=bool(rng.integers(2)), cost=bool(rng.integers(2))
    )
    share = float(rng.uniform(0, 0.5))
    ranking = [{}, {"temperature": float(rng.random()) + 0.01}, {"draws": 5}][rng.integers(3)]
    policy = Policy(
        "nba", "1", float(rng.random()), control_share=share, eligibility_share=share,
        floor=float(rng.random()) / (k + 1), **ranking,
    )  # fmt: skip
    decider = Decider(Unsure(), catalog, rule, policy)
    customers = pd.DataFrame({"customer_id": [f"c-{i}" for i in range(n)], "x": rng.random(n)})
    eligible = rng.random((n, k + 1)) < 0.5
    eligible[np.arange(n), rng.integers(0, k + 1, n)] = True
    allowed = eligible | (rng.random((n, k + 1)) < 0.3)
    ids = decision_ids(customers["customer_id"].to_numpy(), "nba", "2026-01-31")

    def run(rows):
        return decide(
            customers.iloc[rows], eligible[rows], ids[rows], decider, 3, allowed=allowed[rows]
        )

    whole = run(np.arange(n))
    choice = catalog.index(list(whole["treatment"]))
    only = (whole["reason_code"] == "eligibility_only").to_numpy()
    assert np.where(only, allowed[np.arange(n), choice], eligible[np.arange(n), choice]).all()
    assert (whole["propensity"] >= policy.floor * (1 - 1e-9)).all()
    order = rng.permutation(n)
    parts = [run(part) for part in np.array_split(order, rng.integers(1, 4)) if len(part)]
    again = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(again, whole.iloc[order].reset_index(drop=True))


def test_other_rows_and_order_do_not_matter(case, decider):
    customers, eligible, ids = case
    whole = decide(customers, eligible, ids, decider, seed=4)
    pick = np.random.default_rng(0).permutation(len(ids))[:50]
    part = decide(customers.iloc[pick], eligible[pick], ids[pick], decider, seed=4)
    pd.testing.assert_frame_equal(part, whole.iloc[pick].reset_index(drop=True))
    other = decide(customers, eligible, ids, decider, seed=5)
    assert (other["treatment"] != whole["treatment"]).mean() > 0.1


def test_ids_depend_on_use_case_day_and_customer():
    customers = np.array(["a", "b"], dtype=object)
    ids = decision_ids(customers, "nba", "2026-01-31")
    assert ids[0].startswith("nba-20260131-")
    others = [
        *decision_ids(customers, "nba", "2026-02-01"),
        *decision_ids(customers, "churn", "2026-01-31"),
    ]
    assert len({text[-16:] for text in [*ids, *others]}) == 6
    assert (ids == decision_ids(customers, "nba", "2026-01-31")).all()


def test_score_columns_name_every_head():
    heads = (*ARBITRATION.heads, Head("opt_out", "opt_out", worth))
    assert score_columns(Arbitration(heads)) == [
        *("p_response", "expected_value", "incremental_value", "score", "cost", "p_opt_out"),
        *("value_response", "value_opt_out"),
    ]


def test_missing_features_are_named(case, decider):
    customers, eligible, ids = case
    with pytest.raises(DataError, match="the feature columns x are missing"):
        decide(customers.drop(columns="x"), eligible, ids, decider, seed=1)


def test_thompson_needs_a_model_that_knows_how_sure_it_is(case, decider):
    customers, eligible, ids = case
    sure = dataclasses.replace(decider, policy=Policy("nba", "1", 0.1, draws=10))
    with pytest.raises(DataError, match="needs a model with predict_deviations, a Linear has none"):
        decide(customers, eligible, ids, sure, seed=1)
