"""A sound contest: two fitted models, and decisions about customers neither learned from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from nextbest.data import outcomes, world
from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logged_day
from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.evaluation.release.contest import Contender, Contest, Terms, digest
from nextbest.lifecycle.judging import learned_from
from nextbest.settings import Settings
from nextbest.training import reward_model
from nextbest.training.splits import held_out
from nextbest.use_cases.nba_gates import simulated_gates
from nextbest.use_cases.nba_heads import SIMULATED_HEADS

ROOT = Path(__file__).parents[2]
END, DAYS, A_DAY, SHARE = dt.date(2026, 1, 31), 20, 5_000, 0.4
FEATURES = (*world.ATTRIBUTES, "tenure_months", "segment", "monthly_margin", "call_consent",
            "sms_consent", "contacts_7d")  # fmt: skip


def settings(**changed):
    """The settings of the bundle's own variables: gates are those that a real run has."""
    variables = yaml.safe_load((ROOT / "databricks.yml").read_text())["variables"]
    told = {name: each["default"] for name, each in variables.items() if "default" in each}
    told |= {"platform": "local", "as_of": str(END + dt.timedelta(days=7)), "endpoint": "e",
             "model_name": "a.b.c", "experiment": "/e", **changed}  # fmt: skip
    fields = Settings.__dataclass_fields__
    return Settings.parse({name: str(told[name]) for name in fields})


def gates():
    """What next best action asks of a version of the simulated world, with the real thresholds."""
    return simulated_gates(settings())


def sound(seed=11):
    """A better candidate against a champion that learned little and explored half of the time."""
    log = logged_decisions(seed)
    mine = held_out(log["customer_id"], SHARE)
    learned, rows = (log[part].reset_index(drop=True) for part in (~mine, mine))
    candidate = contender("2", learned, epsilon=0.2)
    champion = contender("1", learned.iloc[::12].reset_index(drop=True), epsilon=0.5)
    told = settings()
    return (
        Contest(
            candidate=candidate,
            champion=champion,
            rows=rows,
            frozen=digest(rows),
            learned_from=learned_from(rows, [SHARE, SHARE]),
            nulls={name: float(learned[name].isna().mean()) for name in learned},
            table={name: candidate.inputs[name] for name in FEATURES},
            terms=Terms(told.as_of, told.confidence, told.min_lift, told.min_ess),
        ),
        learned,
    )


def contender(version, rows, *, epsilon):
    """A model fitted on rows, as a registered version tells of itself."""
    model = reward_model.fit(rows, SIMULATED_HEADS, FEATURES, 1, lambda text: None)
    treatments = Treatments.from_frame(world.actions().assign(lever=1.0))
    policy = Policy("nba", version, epsilon=epsilon)
    kinds = {"object": "string", "bool": "boolean", "float64": "double"}
    inputs = {name: kinds[str(rows[name].dtype)] for name in (*FEATURES, "action_id", "channel")}
    outputs = {f"p_{head.name}": "double" for head in SIMULATED_HEADS}
    decider = Decider(model, treatments, Arbitration(SIMULATED_HEADS), policy)
    return Contender(version, decider, inputs, outputs, size=600_000)


def logged_decisions(seed):
    """Matured decisions of the logging policy, with the columns of a learning frame."""
    told = world.World(seed, 20_000, DAYS, A_DAY, 7, "none", END)
    base = world.customers(told, END)
    first = np.datetime64(END) - DAYS
    log = pd.concat([logged_day(told, base, first + k) for k in range(DAYS)], ignore_index=True)
    seen = outcomes.outcomes(told, base, log, END + dt.timedelta(days=90)).to_pandas()
    seen = seen.merge(log[["decision_id", "decided_at"]], on="decision_id")
    waited = seen["observed_at"].dt.tz_localize(None) - seen["decided_at"]
    seen = seen[waited < pd.Timedelta(days=7)]
    names = np.array(world.TREATMENTS, dtype=object)
    sets, which = np.unique(world.eligible(base), axis=0, return_inverse=True)
    texts = np.empty(len(sets), dtype=object)
    texts[:] = [tuple(names[each]) for each in sets]
    frame = base.iloc[log["row"]].reset_index(drop=True)
    actions = world.actions()
    for name in ("treatment", "action_id", "channel"):
        frame[name] = actions[name].to_numpy()[log["treatment"]]
    frame = frame.assign(
        decision_id=log["decision_id"],
        decided_at=log["decided_at"],
        propensity=log["propensity"],
        eligible=texts[which.ravel()[log["row"]]],
        policy="logging",
        contacts_7d=fatigue(told, frame, log["decided_at"].to_numpy()).astype(float),
        value=log["decision_id"].map(seen.groupby("decision_id")["value"].sum()).fillna(0.0)
        - world.COSTS[log["treatment"]],
    )
    for kind in ("response", "purchase", "opt_out"):
        ids = seen.loc[seen["kind"] == kind, "decision_id"]
        frame[kind] = frame["decision_id"].isin(ids).astype(float)
    return frame.sort_values("decision_id", ignore_index=True)
