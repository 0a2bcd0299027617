import datetime as dt

import numpy as np
import pandas as pd
import pytest

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.eligibility import with_eligible
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.inference.batch import recommend
from nextbest.training.reward_model import fit
from nextbest.use_cases.nba import SIMULATED_HEADS

pytestmark = pytest.mark.slow
DAY = dt.date(2026, 1, 31)
FEATURES = ("x", "visits", "segment", "consent")


@pytest.fixture(scope="module")
def model(actions, make_customers):
    """A model of 3,000 random contacts; its heads are those of a use case: workers know them."""
    log = make_customers(3_000, seed=2)
    rng = np.random.default_rng(3)
    given = actions.iloc[rng.integers(0, len(actions), len(log))]
    log["action_id"], log["channel"] = given["action_id"].to_numpy(), given["channel"].to_numpy()
    days = pd.to_timedelta(np.arange(len(log)) // 300, unit="D")
    log["decided_at"] = pd.Timestamp("2026-01-01", tz="UTC") + days
    contact = log["channel"] != "none"
    for kind, share in (("response", 0.2), ("purchase", 0.1), ("opt_out", 0.05)):
        needed = contact | (kind == "purchase")
        log[kind] = (needed & (rng.uniform(size=len(log)) < share)).astype(float)
    return fit(log, SIMULATED_HEADS, FEATURES, 1, lambda text: None)


def test_both_engines_decide_alike(
    on_both_engines, assert_same_rows, actions, make_customers, model
):
    customers = make_customers(3_000).rename(columns={"margin": "monthly_margin"})
    actions = actions.assign(
        valid_to=actions["valid_to"].where(actions["action_id"] != "b", pd.Timestamp(DAY, tz="UTC"))
    )
    ((eligible, others),) = on_both_engines(
        [(with_eligible, {"frame": customers}, {"actions": actions, "at": DAY})]
    )
    assert_same_rows(eligible, others, ("customer_id",))
    told = {"as_of": DAY, "seed": 5, "use_case": "nba", "model_version": "7"}
    policy = Policy("nba", "7", epsilon=0.2, control_share=0.1)
    treatments = Treatments.from_frame(actions)
    told |= {"decider": Decider(model, treatments, Arbitration(SIMULATED_HEADS), policy)}
    ((ours, theirs),) = on_both_engines([(recommend, {"frame": eligible}, told)])
    assert_same_rows(ours, theirs, ("decision_id",))
    assert len(ours) == len(customers)
    assert len(set(ours["treatment"].to_pylist())) == 7
