import dataclasses

import numpy as np
import pandas as pd
import pytest

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider, decide, decision_ids, score_columns
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
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


def test_reasons_tell_the_three_ways(case, decider):
    customers, eligible, ids = case
    found = decide(customers, eligible, ids, decider, seed=4)
    scores = np.where(eligible, decider.scores(customers, eligible).score, -np.inf)
    best = found["score"].to_numpy() == scores.max(axis=1)
    control = found["control_group"].to_numpy()
    begins = found["reason"].str
    assert begins.startswith("control group: uniform over").eq(control).all()
    assert begins.startswith("best score").eq(best & ~control).all()
    assert begins.startswith("explored: score").eq(~best & ~control).all()
    at = int(np.flatnonzero(best & ~control)[0])
    said = f"best score {found['score'][at]:.4g} of {eligible[at].sum()} eligible"
    assert found["reason"][at] == said


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
        *("p_response", "expected_value", "score", "cost", "p_opt_out"),
        *("value_response", "value_opt_out"),
    ]


def test_missing_features_are_named(case, decider):
    customers, eligible, ids = case
    with pytest.raises(DataError, match="the feature columns x are missing"):
        decide(customers.drop(columns="x"), eligible, ids, decider, seed=1)
