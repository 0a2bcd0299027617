"""Days of the simulated world's own decisions, scored by our model of the training window."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from detection_streams import (
    AT,
    BASELINE_DAYS,
    CONTROL_SHARE,
    FIRST,
    OUTCOME,
    PLANTED,
    SCORE,
    Columns,
    plant,
)

from nextbest.data.interactions import fatigue
from nextbest.data.logging_policy import logged_day
from nextbest.data.outcomes import outcomes
from nextbest.data.world import ATTRIBUTES, COSTS, World, actions, customers
from nextbest.training import reward_model
from nextbest.training.reward_model import RewardModel
from nextbest.use_cases.nba_heads import SIMULATED_HEADS

RESPONSE = SIMULATED_HEADS[0]
FEATURES = (*ATTRIBUTES, "tenure_months", "monthly_margin", "contacts_7d", "segment")
DECIDED = ("opted_out", "value", "propensity")
CUSTOMERS = 20_000
ATTRIBUTION_DAYS = 4
COLUMNS = Columns(
    mean="usage_level", variance="service_need", shape="novelty_seeking", category="segment",
    missing="family_score",
)  # fmt: skip
DRIFTS = {
    "covariate": "half as many customers again, of another kind, join (drift of the world)",
    "concept": "customers respond to other offers than before (drift of the world)",
    "both": "both at once (drift of the world)",
}
KINDS = PLANTED | DRIFTS


@dataclass(frozen=True)
class Simulated:
    """What the logging policy decided and what came of it within ATTRIBUTION_DAYS.

    `kind` is one of the world's drifts, or a fault planted in the features before the model sees
    them (or in the outcomes). Responses have the world's own weekly and monthly season.
    """

    seed: int
    rows: int
    kind: str | None
    turn: int

    def baseline(self) -> pd.DataFrame:
        """See Stream."""
        return _trained(self.seed, self.rows)[1]

    def day(self, number: int) -> pd.DataFrame:
        """See Stream."""
        kind = self.kind if self.kind is not None and number >= self.turn else ""
        frame = _decided(self._world(), number)
        random = np.random.default_rng((self.seed, number + 10_000))
        plant(kind, frame, COLUMNS, random)
        if kind == "label":
            contacted, share = frame["action_id"] != "none", frame[OUTCOME].mean()
            more = share / (contacted.mean() - share)
            frame.loc[contacted & (random.random(len(frame)) < more), OUTCOME] = 1.0
        frame["control_group"] = random.random(len(frame)) < CONTROL_SHARE
        return _scored(_trained(self.seed, self.rows)[0], frame)

    def _world(self) -> World:
        told = _world(self.seed, self.rows)
        if self.kind not in DRIFTS:
            return told
        turn = FIRST + dt.timedelta(days=self.turn)
        return dataclasses.replace(told, drift=self.kind, drift_from=turn)


def _world(seed: int, rows: int) -> World:
    never = FIRST + dt.timedelta(days=10_000)
    return World(seed, CUSTOMERS, BASELINE_DAYS, rows, ATTRIBUTION_DAYS, "none", never)


@functools.lru_cache(maxsize=1)
def _trained(seed: int, rows: int) -> tuple[RewardModel, pd.DataFrame]:
    """The model of the training window, and that window with its scores."""
    told = _world(seed, rows)
    log = pd.concat([_decided(told, day) for day in range(-BASELINE_DAYS, 0)], ignore_index=True)
    train = log.rename(columns={OUTCOME: RESPONSE.kind})
    model = reward_model.fit(train, [RESPONSE], FEATURES, seed, on_progress=lambda text: None)
    return model, _scored(model, log)


def _decided(world: World, number: int) -> pd.DataFrame:
    """Features, what was chosen, and whether it was answered in time."""
    day = FIRST + dt.timedelta(days=number)
    base = _customers(world, day >= world.drift_from)
    rows = logged_day(world, base, np.datetime64(day))
    frame = base.iloc[rows["row"]].reset_index(drop=True)
    decided = rows["decided_at"].to_numpy()
    frame["contacts_7d"] = fatigue(world, frame, decided).astype(float)
    chosen = actions().iloc[rows["treatment"]]
    for name in ("action_id", "channel"):
        frame[name] = chosen[name].to_numpy()
    late = day + dt.timedelta(days=ATTRIBUTION_DAYS + 1)
    seen = outcomes(world, base, rows, late).to_pandas()
    at = pd.Index(rows["decision_id"]).get_indexer(seen["decision_id"])
    waited = seen["observed_at"].dt.tz_localize(None) - rows["decided_at"].iloc[at].to_numpy()
    in_time = (waited < pd.Timedelta(days=ATTRIBUTION_DAYS)).to_numpy()
    for name, kind in ((OUTCOME, RESPONSE.kind), ("opted_out", "opt_out")):
        mine = in_time & (seen["kind"] == kind).to_numpy()
        frame[name] = np.bincount(at[mine], minlength=len(rows)).astype(float)
    earned = np.bincount(at[in_time], seen["value"][in_time], minlength=len(rows))
    frame["value"] = earned - COSTS[rows["treatment"]]
    frame["propensity"] = rows["propensity"].to_numpy()
    frame[AT] = pd.Series(decided).dt.tz_localize("UTC")
    return frame[[AT, *FEATURES, "action_id", "channel", OUTCOME, *DECIDED]]


@functools.lru_cache(maxsize=4)
def _customers(world: World, drifted: bool) -> pd.DataFrame:
    return customers(world, world.drift_from if drifted else FIRST - dt.timedelta(days=100))


def _scored(model: RewardModel, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{SCORE: model.predict(frame)[f"p_{RESPONSE.name}"].to_numpy()})
