"""Logged decisions to learn from: a small made-up log, and one of the simulated world."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from nextbest.data import outcomes, truth, world
from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logged_day, logging_probabilities
from nextbest.decisions.heads import Head
from nextbest.decisions.treatments import Treatments

FEATURES = ("x", "y", "segment", "consent")


def _money(customers, treatments):
    return 10.0 * treatments.value[None, :]


@pytest.fixture(scope="session")
def heads():
    """A response that needs a contact and a purchase that needs none."""
    return (
        Head("response", "response", _money, needs_contact=True),
        Head("purchase", "purchase", _money, treatment=("action_id",), features=("y", "segment")),
    )


@pytest.fixture(scope="session")
def treatments():
    """none and two offers over two channels."""
    names = ["none", "a:sms", "a:email", "b:sms", "b:email"]
    parts = [(name.split(":") * 2)[:2] for name in names]
    frame = pd.DataFrame(parts, columns=["action_id", "channel"])
    return Treatments.from_frame(frame.assign(treatment=names, value=1.0, cost=0.0, lever=1.0))


@pytest.fixture(scope="session")
def make_log(treatments):
    """n decisions over ten days: logit of response ±1.5·x by offer, plus `bend(x, y)`."""

    def make(n, bend=None, seed=3):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(2, n))
        k = rng.integers(0, len(treatments), n)
        sign = np.where(treatments.action_id[k] == "a", 1.5, -1.5)
        logit = -3 + sign * x + (0 if bend is None else bend(x, y))
        frame = pd.DataFrame(
            {
                "decided_at": pd.Timestamp("2026-01-01", tz="UTC")
                + pd.to_timedelta(np.arange(n) * 10 * 86_400 // n, unit="s"),
                "x": np.where(rng.uniform(size=n) < 0.02, np.nan, x),
                "y": y,
                "segment": rng.choice(["s1", "s2", None], n),
                "consent": rng.choice(np.array([True, False, None], dtype=object), n),
                "action_id": treatments.action_id[k],
                "channel": treatments.channel[k],
            }
        )
        contact = ~treatments.is_none[k]
        frame["response"] = (contact & (rng.uniform(size=n) < expit(logit))).astype(float)
        frame["purchase"] = (rng.uniform(size=n) < expit(-3 + 0.8 * y)).astype(float)
        return frame

    return make


@dataclasses.dataclass(frozen=True)
class Simulated:
    """A log of the simulated world, and the truth about other customers on a later day."""

    log: pd.DataFrame
    heads: tuple[Head, ...]
    features: tuple[str, ...]
    treatments: Treatments
    customers: pd.DataFrame
    truth: truth.Truth
    logging: np.ndarray
    columns: list[int]  # where the world's treatments are among ours


def _response(customers, treatments):
    return customers["monthly_margin"].to_numpy()[:, None] * treatments.value


def _purchase(customers, treatments):
    return customers["monthly_margin"].to_numpy()[:, None] * world.ORGANIC_VALUE


def _opt_out(customers, treatments):
    return customers["monthly_margin"].to_numpy()[:, None] * world.OPT_OUT_VALUE


@pytest.fixture(scope="session")
def simulate():
    """The world of a seed, `days` × 5,000 decisions before 2026-01-31, all of them mature.

    On the last `changed` of these days customers respond otherwise than before.
    """

    def make(seed, days, changed=0):
        end = dt.date(2026, 1, 31)
        turn = end - dt.timedelta(days=changed)
        told = world.World(seed, 20_000, days, 5_000, 7, "concept" if changed else "none", turn)
        base = world.customers(told, end)
        first = np.datetime64(end) - days
        log = pd.concat([logged_day(told, base, first + k) for k in range(days)], ignore_index=True)
        seen = outcomes.outcomes(told, base, log, end + dt.timedelta(days=90)).to_pandas()
        seen = seen.merge(log[["decision_id", "decided_at"]], on="decision_id")
        waited = seen["observed_at"].dt.tz_localize(None) - seen["decided_at"]
        seen = seen[waited < pd.Timedelta(days=told.attribution_days)]
        frame = base.iloc[log["row"]].reset_index(drop=True)
        frame["decided_at"] = log["decided_at"]
        frame["contacts_7d"] = fatigue(told, frame, log["decided_at"].to_numpy()).astype(float)
        actions = world.actions()
        for name in ("action_id", "channel"):
            frame[name] = actions[name].to_numpy()[log["treatment"]]
        for kind in ("response", "purchase", "opt_out"):
            ids = seen.loc[seen["kind"] == kind, "decision_id"]
            frame[kind] = log["decision_id"].isin(ids).astype(float)
        day = np.full(len(base), np.datetime64(end))
        worn = fatigue(told, base, day)
        treatments = Treatments.from_frame(actions.assign(lever=1.0))
        return Simulated(
            log=frame,
            heads=(
                Head("response", "response", _response, needs_contact=True),
                Head("purchase", "purchase", _purchase, treatment=("action_id",)),
                Head("opt_out", "opt_out", _opt_out, treatment=("channel",), needs_contact=True),
            ),
            features=(
                *world.ATTRIBUTES,
                *("tenure_months", "segment", "call_consent", "sms_consent", "contacts_7d"),
            ),
            treatments=treatments,
            customers=base.assign(contacts_7d=worn.astype(float)),
            truth=truth.truth(told, base, end, worn),
            logging=logging_probabilities(told, base, day, worn),
            columns=treatments.index(world.TREATMENTS).tolist(),
        )

    return make
