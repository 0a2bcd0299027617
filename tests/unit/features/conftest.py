"""A small log with nulls, ties and edges, and what features it should give, by plain Python."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

MIDNIGHT = pd.Timestamp("2026-03-01", tz="UTC")


@pytest.fixture(scope="session")
def make_log():
    """Tables of a random log as pandas frames: customers, interactions, decisions, outcomes."""

    def make(seed=1, customers=60, events=3_000):
        rng = np.random.default_rng(seed)
        names = np.array([f"c{i:02d}" for i in range(customers)], dtype=object)

        def moments(n):
            # Whole days back for a fifth of them: events at midnight sharp are the edge.
            back = rng.uniform(-5, 120, n)
            back = np.where(rng.random(n) < 0.2, np.round(back), back)
            return (MIDNIGHT - pd.to_timedelta(back, unit="D")).round("us")

        interactions = pd.DataFrame(
            {
                "event_id": [f"e{i}" for i in range(events)],
                "customer_id": rng.choice(names, events),
                "event_time": moments(events),
                "kind": rng.choice(
                    ["visit", "contact", "purchase", "service_call", "other"], events
                ),
            }
        )
        amounts = np.where(interactions["kind"] == "purchase", rng.lognormal(3, 1, events), np.nan)
        interactions["amount"] = np.where(rng.random(events) < 0.1, np.nan, amounts)
        interactions.loc[::50, "kind"] = None
        n = events // 3
        decisions = pd.DataFrame(
            {
                "decision_id": [f"d{i}" for i in range(n)],
                "customer_id": rng.choice(names, n),
                "decided_at": moments(n),
                "action_id": rng.choice(["none", "a", "b"], n),
            }
        )
        channel = rng.choice(["email", "sms"], n)
        decisions["channel"] = np.where(decisions["action_id"] == "none", "none", channel)
        answered = decisions.sample(n // 4, random_state=seed)
        outcomes = pd.DataFrame(
            {
                "decision_id": answered["decision_id"].to_numpy(),
                "observed_at": answered["decided_at"].array
                + pd.to_timedelta(rng.choice([0.0, 0.5, 7.0, 9.5], n // 4), unit="D"),
                "kind": rng.choice(["response", "purchase", "opt_out", "click"], n // 4),
            }
        )
        outcomes["reward"] = (outcomes["kind"] == "response").astype(float)
        outcomes["value"] = np.round(rng.normal(10, 5, n // 4), 2)
        table = pd.DataFrame(
            {
                "customer_id": names,
                "segment": rng.choice(["s1", "s2"], customers),
                "tenure_months": rng.gamma(2, 10, customers),
                "consent": rng.random(customers) < 0.5,
            }
        )
        table.loc[::7, "segment"] = None
        return {
            "customers": table.iloc[:-3],  # some are asked for and not known
            "interactions": interactions,
            "decisions": decisions,
            "outcomes": outcomes,
        }

    return make


@pytest.fixture(scope="session")
def make_spine():
    """Customers of a log at two midnights, with one of them asked for twice and one unheard of."""

    def make(log):
        names = [*log["decisions"]["customer_id"].unique(), "never seen"]
        days = [MIDNIGHT, MIDNIGHT - pd.Timedelta(days=9)]
        rows = [(name, day) for name in names for day in days] + [(names[0], days[0])]
        return pd.DataFrame(rows, columns=["customer_id", "as_of"])

    return make
