"""How much may be done in a day: contacts per treatment and channel, and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError

BUDGET = "budget"


@dataclass(frozen=True, eq=False)
class Limits:
    """R limits on K treatments: usage [R, K] of one contact, capacity [R]; no row is unlimited.

    The rows are "treatment <name>" and "channel <name>", whose usage is 0 or 1 contact, and
    "budget", whose usage is money per contact. A treatment that no row uses is free to give.
    """

    names: tuple[str, ...]
    usage: np.ndarray
    capacity: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def counts(self) -> np.ndarray:
        """True at rows that count contacts (all but the budget), bool [R]."""
        return np.array([name != BUDGET for name in self.names], dtype=bool)

    @property
    def free(self) -> np.ndarray:
        """True at treatments that no limit touches, bool [K]; "none" always is one."""
        return ~(self.usage > 0).any(axis=0)

    @property
    def text(self) -> str:
        """All limits with their capacities: "treatment tv:call 9, channel sms 500, budget 90"."""
        return ", ".join(
            f"{name} {most:g}"
            for name, most in zip(self.names, self.capacity.tolist(), strict=True)
        )

    def check(self, shape: tuple[int, ...], what: str) -> None:
        """Raise DataError unless `what` has one column per treatment, [n, K]."""
        if len(shape) != 2 or shape[1] != self.usage.shape[1]:
            raise DataError(
                f"{what} has the shape {shape}, the limits are on {self.usage.shape[1]} "
                "treatments: make both from the same actions table"
            )


def limits_from(
    actions: pd.DataFrame,
    channels: Mapping[str, float] | None = None,
    budget: float | None = None,
) -> Limits:
    """Read daily_capacity from rows of the actions table; add channel capacities and a budget.

    Columns follow the order of Treatments. Capacities are contacts a day, the budget is money a
    day, in the unit of `cost`; null or None is unlimited. Raises DataError with everything that is
    wrong: a missing column, an unknown channel, a limit on "none", what is not a number of at least
    0, a "none" that costs money under a budget; and as Treatments does.
    """
    treatments = Treatments.from_frame(actions)
    if "daily_capacity" not in actions.columns:
        raise DataError("actions: the column daily_capacity is missing; null is unlimited")
    declared = dict(zip(actions["treatment"], actions["daily_capacity"], strict=True))
    given = {name: declared[name] for name in treatments.names if not _absent(declared[name])}
    channels = {name: count for name, count in (channels or {}).items() if count is not None}
    problems = [
        f"'{NONE}' has a {word}; leaving a customer alone is never limited: take it away"
        for word, names in (("daily_capacity", given), ("channel capacity", channels))
        if NONE in names
    ]
    known = sorted(set(treatments.channel) - {NONE})
    problems += [
        f"channel '{name}' has a capacity but no treatment; known are {', '.join(known)}"
        for name in channels
        if name not in known and name != NONE
    ]
    numbers = {f"daily_capacity of {name}": number for name, number in given.items()}
    numbers |= {f"capacity of channel '{name}'": number for name, number in channels.items()}
    numbers |= {} if budget is None else {"the budget": budget}
    problems += [
        f"{what} is {number}; it must be a number of at least 0 (null: unlimited)"
        for what, number in numbers.items()
        if not _is_amount(number)
    ]
    if budget is not None and (treatments.cost[treatments.is_none] > 0).any():
        problems.append(f"'{NONE}' has a cost; under a budget it must be free: set its cost to 0")
    if problems:
        raise DataError("limits: " + "; ".join(problems))
    rows = [
        (f"treatment {name}", np.array(treatments.names) == name, given[name]) for name in given
    ]
    rows += [
        (f"channel {name}", treatments.channel == name, channels[name]) for name in sorted(channels)
    ]
    rows += [] if budget is None else [(BUDGET, treatments.cost, budget)]
    rows = [row for row in rows if np.isfinite(row[2])]
    usage = np.array([row[1] for row in rows], dtype=float).reshape(len(rows), len(treatments))
    return Limits(
        names=tuple(row[0] for row in rows),
        usage=usage,
        capacity=np.array([row[2] for row in rows], dtype=float),
    )


def _absent(number: object) -> bool:
    # NaN is how pandas writes the null of a bigint column.
    return number is None or number is pd.NA or (isinstance(number, float) and np.isnan(number))


def _is_amount(number: object) -> bool:
    real = isinstance(number, int | float | np.integer | np.floating)
    return real and not isinstance(number, bool) and number >= 0
