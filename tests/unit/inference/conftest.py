"""A fitted model, its actions and customers to decide for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.training.reward_model import fit

FEATURES = ("x", "visits", "segment", "consent")


def response_value(customers, treatments):
    return customers["margin"].to_numpy(dtype=float)[:, None] * treatments.value


def opt_out_value(customers, treatments):
    return customers["margin"].to_numpy(dtype=float)[:, None] * -2.0


HEADS = (
    Head("response", "response", response_value, needs_contact=True),
    Head("opt_out", "opt_out", opt_out_value, treatment=("channel",), needs_contact=True),
)


@pytest.fixture(scope="session")
def actions():
    """none and four offers over two channels; sms needs consent, offer d a high x."""
    rows = [("none", "none", "none", 0.0, 0.0, "true")]
    for offer, value in (("a", 1.0), ("b", 0.5), ("c", 2.0), ("d", 3.0)):
        rule = "x > 0.5" if offer == "d" else "true"
        rows.append((f"{offer}:email", offer, "email", value, 0.01, rule))
        rows.append((f"{offer}:sms", offer, "sms", value, 0.05, f"consent AND {rule}"))
    columns = ["treatment", "action_id", "channel", "value", "cost", "eligibility"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(lever=1.0, daily_capacity=None, valid_from=pd.NaT, valid_to=pd.NaT)


@pytest.fixture(scope="session")
def make_customers():
    """n customers with features, nulls among them."""

    def make(n, seed=1):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            {
                "customer_id": [f"c-{i:06d}" for i in range(n)],
                "x": rng.normal(size=n),
                "visits": rng.poisson(2, n).astype("int64"),
                "segment": rng.choice(["s1", "s2"], n).astype(object),
                "consent": rng.uniform(size=n) < 0.7,
                "margin": rng.lognormal(3, 0.5, n),
            }
        )
        frame.loc[::37, "x"] = np.nan
        frame.loc[::41, "segment"] = None
        return frame

    return make


@pytest.fixture(scope="session")
def decider(actions, make_customers):
    """A model of 8,000 random contacts, ε = .2 and a tenth in the control group."""
    treatments = Treatments.from_frame(actions)
    log = make_customers(8_000, seed=2)
    rng = np.random.default_rng(3)
    k = rng.integers(0, len(treatments), len(log))
    log["action_id"], log["channel"] = treatments.action_id[k], treatments.channel[k]
    log["decided_at"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(
        np.arange(len(log)) // 1_000, unit="D"
    )
    contact = ~treatments.is_none[k]
    x = log["x"].fillna(0) * np.where(log["action_id"].isin(["a", "c"]), 1.0, -1.0)
    log["response"] = (contact & (rng.uniform(size=len(log)) < expit(-2 + x))).astype(float)
    log["opt_out"] = (contact & (rng.uniform(size=len(log)) < 0.02)).astype(float)
    model = fit(log, HEADS, FEATURES, 1, lambda text: None)
    policy = Policy("nba", "7", epsilon=0.2, control_share=0.1)
    return Decider(model, treatments, Arbitration(HEADS), policy)
