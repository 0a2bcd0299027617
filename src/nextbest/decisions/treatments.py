"""The catalogue of treatments as aligned, read-only arrays: what a score matrix's columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nextbest.errors import DataError

NONE = "none"
SEPARATOR = "\x1f"  # joins names to one text; ASCII's unit separator is in no name
COLUMNS = ("treatment", "action_id", "channel", "value", "cost", "lever")
# Levers and context weights, as 1 + sum/100: nothing may count for more than ten times itself.
WEIGHTS = (0.0, 10.0)


@dataclass(frozen=True, eq=False)
class Treatments:
    """K treatments (action × channel) in the order of their names; every array has length K.

    `value` is what a response is worth (the use case says in which unit), `cost` what one contact
    costs, `lever` a business weight on the score, within WEIGHTS. "none", leaving the customer
    alone, competes in every decision when the actions table has it; a table without it says that
    something is always shown, as on a banner. Only "none" may have the channel "none".
    """

    names: tuple[str, ...]
    action_id: np.ndarray
    channel: np.ndarray
    value: np.ndarray
    cost: np.ndarray
    lever: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @property
    def is_none(self) -> np.ndarray:
        """True at "none", bool [K]."""
        return self.channel == NONE

    @property
    def none(self) -> int | None:
        """Position of "none", None when the actions table lacks it."""
        return self.names.index(NONE) if NONE in self.names else None

    def index(self, names: Sequence[str]) -> np.ndarray:
        """Positions of the named treatments, int [len(names)].

        Raises DataError with all unknown names.
        """
        found = pd.Index(self.names).get_indexer(pd.Index(names, dtype=object))
        if (found < 0).any():
            unknown = sorted({str(name) for name, at in zip(names, found, strict=True) if at < 0})
            raise DataError(
                f"{len(unknown)} treatments are not in the actions table: "
                f"{', '.join(unknown[:5])}; add them there or drop the rows that name them"
            )
        return found

    def mask(self, eligible: Sequence[Sequence[str]] | pd.Series) -> np.ndarray:
        """Turn each customer's list of treatment names into one row of a bool [n, K] matrix.

        Raises DataError for a missing list and for names that are no treatment.
        """
        sets = list(eligible)
        missing = sum(names is None or isinstance(names, float) for names in sets)
        if missing:
            raise without_sets(missing, len(sets))
        # Customers share few different sets: each is looked up once.
        known: dict[tuple[str, ...], int] = {}
        at = [known.setdefault(tuple(names), len(known)) for names in sets]
        mask = np.zeros((len(known), len(self)), dtype=bool)
        if known:
            rows = np.repeat(np.arange(len(known)), [len(names) for names in known])
            mask[rows, self.index([name for names in known for name in names])] = True
        return mask[at]

    @classmethod
    def from_frame(cls, actions: pd.DataFrame) -> Treatments:
        """Read the rows of the actions table (columns: COLUMNS; others are ignored).

        Raises DataError with everything that is wrong: missing columns, no row, duplicate or null
        names, a name that is not "none" or "<action_id>:<channel>", a value, cost or lever that
        is not a finite number, a negative cost, a lever outside WEIGHTS.
        """
        missing = [name for name in COLUMNS if name not in actions.columns]
        if missing:
            raise DataError(f"actions: the columns {', '.join(missing)} are missing")
        table = actions.loc[:, list(COLUMNS)].sort_values("treatment", kind="stable")
        problems = _problems(table)
        if problems:
            raise DataError("actions: " + "; ".join(problems))
        return cls(
            names=tuple(str(name) for name in table["treatment"]),
            action_id=_read_only(table["action_id"], str),
            channel=_read_only(table["channel"], str),
            value=_read_only(table["value"], float),
            cost=_read_only(table["cost"], float),
            lever=_read_only(table["lever"], float),
        )


def without_sets(missing: int, rows: int) -> DataError:
    """What to raise for rows whose eligible set is null."""
    return DataError(
        f"eligible is missing in {missing} of {rows} rows; "
        "add it with decisions.eligibility.with_eligible"
    )


def _problems(table: pd.DataFrame) -> list[str]:
    if table.empty:
        return ["no row; a decision needs at least one treatment"]
    problems = []
    for column in ("treatment", "action_id", "channel"):
        if table[column].isna().any():
            problems.append(f"{column} is null in {int(table[column].isna().sum())} rows")
    repeated = sorted(set(table.loc[table["treatment"].duplicated(), "treatment"].dropna()))
    if repeated:
        problems.append(f"several rows for {', '.join(map(str, repeated[:5]))}; keep one")
    for name, action, channel in table[["treatment", "action_id", "channel"]].itertuples(
        index=False
    ):
        expected = NONE if channel == NONE else f"{action}:{channel}"
        if name != expected:
            problems.append(
                f"treatment '{name}' has action_id '{action}' and channel '{channel}', "
                f"so it must be called '{expected}'"
            )
    bounds = {
        "value": (-np.inf, np.inf, ""),
        "cost": (0.0, np.inf, " of at least 0"),
        "lever": (*WEIGHTS, " between {:g} and {:g}".format(*WEIGHTS)),
    }
    for column, (least, most, bound) in bounds.items():
        number = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float)
        bad = ~np.isfinite(number) | (number < least) | (number > most)
        if bad.any():
            names = ", ".join(map(str, table.loc[bad, "treatment"].head(5)))
            problems.append(f"{column} of {names} is not a finite number{bound}")
    return problems


def _read_only(column: pd.Series, kind: type[Any]) -> np.ndarray:
    values = column.to_numpy().astype(object if kind is str else kind)
    values.setflags(write=False)
    return values
