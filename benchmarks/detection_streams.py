"""Days of decisions in a made-up world that changes in one way on one day, or stays as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

AT, SCORE, OUTCOME = "decided_at", "p_response", "responded"
NUMBERS = tuple(f"x{number}" for number in range(6))
WEIGHTS = np.array([0.8, 0.6, -0.5, 0.3, 0.0, 0.0])
BASE_RATE = -3.0  # logit
LEVELS = {
    "plan": (("basic", "plus", "pro"), (0.5, 0.3, 0.2)),
    "region": (("north", "east", "south", "west"), (0.4, 0.3, 0.2, 0.1)),
}
CONTROL_SHARE = 0.02
# Of a decision, and no input: nothing is watched for drift in these.
UNWATCHED = (AT, OUTCOME, "propensity", "control_group", "value", "opted_out")
BASELINE_DAYS = 30
FIRST = dt.date(2026, 3, 2)  # day 0, a Monday


class Stream(Protocol):
    """Days by their number; the change, if there is one, holds from day `turn` on.

    A frame has AT, features (texts are categories), SCORE (the model's probability, 0 where nobody
    was contacted), OUTCOME (0 or 1, as known when the day has matured), and, in the same words as
    tables, propensity, control_group, value (money) and opted_out. Both arms are treated alike.
    """

    @property
    def turn(self) -> int:
        """The day of the change."""
        ...

    def baseline(self) -> pd.DataFrame:
        """The BASELINE_DAYS days before day 0: what the model was trained on."""
        ...

    def day(self, number: int) -> pd.DataFrame:
        """The rows of a day, the same for the same number."""
        ...


@dataclass(frozen=True)
class Columns:
    """Which column each kind of change befalls."""

    mean: str
    variance: str
    shape: str
    category: str
    missing: str


def plant(kind: str, frame: pd.DataFrame, at: Columns, random: np.random.Generator) -> None:
    """Change the features of a day in place; a kind that is none of theirs leaves them."""
    rows = len(frame)
    if kind == "mean":
        frame[at.mean] += 0.5 * frame[at.mean].std()
    elif kind == "variance":
        middle = frame[at.variance].mean()
        frame[at.variance] = middle + 1.6 * (frame[at.variance] - middle)
    elif kind == "shape":
        old = frame[at.shape]
        side, noise = random.choice([-1.0, 1.0], rows), random.normal(size=rows)
        frame[at.shape] = old.mean() + old.std() * (0.9 * side + np.sqrt(1 - 0.9**2) * noise)
    elif kind == "category":
        rare = frame[at.category].value_counts().index[-1]
        frame.loc[random.random(rows) < 1 / 3, at.category] = rare
    elif kind == "missingness":
        frame.loc[random.random(rows) < 0.16, at.missing] = np.nan


PLANTED: dict[str, str] = {
    "mean": "a number rises by half a standard deviation",
    "variance": "a number has 1.6 times the standard deviation",
    "shape": "a number turns bimodal, with the same mean and variance",
    "category": "a third of the rows get the rarest category",
    "missingness": "16 % more of a number's values are missing",
    "label": "twice as many respond, whoever they are",
}


@dataclass(frozen=True)
class Synthetic:
    """Independent normal numbers and two categories; `kind` of KINDS (None: nothing changes)."""

    seed: int
    rows: int
    kind: str | None
    turn: int

    def baseline(self) -> pd.DataFrame:
        """See Stream."""
        days = [self.day(number) for number in range(-BASELINE_DAYS, 0)]
        return pd.concat(days, ignore_index=True)

    def day(self, number: int) -> pd.DataFrame:
        """See Stream."""
        random = np.random.default_rng((self.seed, number + 10_000))
        kind = self.kind if self.kind is not None and number >= self.turn else ""
        frame = pd.DataFrame(random.normal(size=(self.rows, len(NUMBERS))), columns=list(NUMBERS))
        for name, (levels, shares) in LEVELS.items():
            frame[name] = random.choice(np.array(levels, dtype=object), self.rows, p=shares)
        weekend = self.kind == "season" and (FIRST + dt.timedelta(days=number)).weekday() >= 5
        frame["x4"] += 0.8 * weekend
        plant(kind, frame, COLUMNS, random)
        x = frame[list(NUMBERS)].fillna(0.0).to_numpy()
        foretold = BASE_RATE + x @ WEIGHTS
        true = foretold - 0.3 * weekend
        if kind == "label":
            true = true + np.log(2.0)
        elif kind == "concept":
            true = BASE_RATE + 0.4 + x @ WEIGHTS[::-1]
        frame.loc[random.random(self.rows) < 0.02, "x3"] = np.nan
        frame[SCORE] = 1 / (1 + np.exp(-foretold))
        frame[OUTCOME] = (random.random(self.rows) < 1 / (1 + np.exp(-true))).astype(float)
        frame[AT] = pd.Timestamp(FIRST, tz="UTC") + pd.Timedelta(days=number)
        told = {
            "propensity": 0.5,
            "value": frame[OUTCOME],
            "opted_out": random.random(self.rows) < 0.003,
        }
        return frame.assign(control_group=random.random(self.rows) < CONTROL_SHARE, **told)


COLUMNS = Columns(mean="x0", variance="x1", shape="x2", category="plan", missing="x3")
KINDS = PLANTED | {"concept": "what made customers respond no longer does"}
SEASON = "x4 is higher and fewer respond at weekends, as ever"
Made = Callable[[int, int, str | None, int], Stream]  # seed, rows, kind, turn
