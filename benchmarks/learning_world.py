"""Logs of the simulated world to learn from, and customers held out with their true values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logged_day, logging_probabilities
from nextbest.data.outcomes import outcomes
from nextbest.data.truth import Truth, captured, expected_net_value
from nextbest.data.world import ATTRIBUTES, TREATMENTS, World, actions, customers, eligible
from nextbest.decisions.treatments import Treatments
from nextbest.use_cases.nba_heads import SIMULATED_HEADS as HEADS

END = dt.date(2026, 2, 10)
DAYS = 40
LOGGED, HELD_OUT = 50_000, 20_000  # customers whom the log knows, and others to decide for
FEATURES = (
    *ATTRIBUTES, "segment", "tenure_months", "monthly_margin", "call_consent", "sms_consent",
    "contacts_7d",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """What a learner is given, and the truth by which it is judged.

    `log`: decided_at, FEATURES, action_id, channel, treatment, eligible (names), propensity, value
    (money, net of the contact) and one 0/1 column per head; `logged` [n] the chosen treatment and
    `open` [n, K] the eligible ones, in the order of `treatments`. `customers` are others, in the
    week after the log.
    """

    log: pd.DataFrame
    logged: np.ndarray
    open: np.ndarray
    treatments: Treatments
    customers: pd.DataFrame
    eligible: np.ndarray
    truth: Truth  # in the world's order of treatments
    before: float  # what the logging policy captures

    def captured(self, scores: np.ndarray) -> float:
        """Share of the oracle's gap that the best eligible of scores [n, K] captures."""
        best = np.where(self.eligible, scores, -np.inf).argmax(axis=1)
        chosen = np.eye(scores.shape[1])[best]
        return captured(self.truth, chosen[:, self.treatments.index(TREATMENTS)])


def make_case(seed: int, decisions: int) -> Case:
    """The world of a seed: about `decisions` mature ones over DAYS days before END."""
    per_day = decisions // DAYS
    told = World(seed, LOGGED + HELD_OUT, DAYS, per_day, 7, "none", dt.date(2100, 1, 1))
    table = actions()
    treatments = Treatments.from_frame(table.assign(lever=1.0))
    order = pd.Index(TREATMENTS).get_indexer(treatments.names)
    base = customers(told, END)
    known, new = base[:LOGGED], base[LOGGED:].reset_index(drop=True)
    first = np.datetime64(END) - DAYS
    rows = pd.concat([logged_day(told, known, first + day) for day in range(DAYS)])
    rows = rows.reset_index(drop=True)
    log = known.iloc[rows["row"]].reset_index(drop=True)
    log["decided_at"] = rows["decided_at"].dt.tz_localize("UTC")
    log["contacts_7d"] = fatigue(told, log, rows["decided_at"].to_numpy()).astype(float)
    for name in ("action_id", "channel"):
        log[name] = table[name].to_numpy()[rows["treatment"]]
    log["propensity"] = rows["propensity"]
    log["treatment"] = table["treatment"].to_numpy()[rows["treatment"]]
    open_ = eligible(log)[:, order]
    log["eligible"] = _names(open_, treatments)
    _add_outcomes(told, known, rows, log)
    log["value"] -= table["cost"].to_numpy()[rows["treatment"]]
    days = np.datetime64(END) + np.arange(HELD_OUT) % 7
    worn = fatigue(told, new, days)
    known_truth = Truth(expected_net_value(told, new, days, worn), eligible(new))
    return Case(
        log=log,
        logged=treatments.index(TREATMENTS)[rows["treatment"]],
        open=open_,
        treatments=treatments,
        customers=new.assign(contacts_7d=worn.astype(float)),
        eligible=known_truth.eligible[:, order],
        truth=known_truth,
        before=captured(known_truth, logging_probabilities(told, new, days, worn)),
    )


def _names(open_: np.ndarray, treatments: Treatments) -> list[tuple[str, ...]]:
    """Each row's eligible treatments; rows with the same set share one tuple."""
    sets, which = np.unique(open_, axis=0, return_inverse=True)
    names = np.array(treatments.names, dtype=object)
    tuples = [tuple(names[allowed]) for allowed in sets]
    return [tuples[at] for at in which.ravel().tolist()]


def _add_outcomes(told: World, base: pd.DataFrame, rows: pd.DataFrame, log: pd.DataFrame) -> None:
    seen = outcomes(told, base, rows, END + dt.timedelta(days=90)).to_pandas()
    at = pd.Index(rows["decision_id"]).get_indexer(seen["decision_id"])
    waited = seen["observed_at"] - log["decided_at"].iloc[at].reset_index(drop=True)
    in_time = (waited < pd.Timedelta(days=told.attribution_days)).to_numpy()
    for head in HEADS:
        mine = in_time & (seen["kind"] == head.kind).to_numpy()
        log[head.kind] = np.bincount(at[mine], minlength=len(log)).astype(float)
    log["value"] = np.bincount(at[in_time], seen["value"][in_time], minlength=len(log))
