"""Decisions by the value of a column, where thin groups are pooled by name and never left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.errors import DataError
from nextbest.evaluation.ope.moments import Moments, merged
from nextbest.evaluation.ope.segments import fold_by
from nextbest.evaluation.release.scoring import Scored


@dataclass(frozen=True, eq=False)
class Group:
    """Decisions of one level of a column, or of several thin ones; `thin`: why even so too few."""

    name: str
    moments: Moments
    thin: str


def by_level(
    rows: pd.DataFrame,
    scored: Scored,
    part: np.ndarray,
    column: str,
    quantity: str,
    thin: Callable[[Moments], str],
    edges: Sequence[float] = (),
) -> tuple[Group, ...]:
    """Moments of a quantity by level of a column of `rows`, over one part (bool [n]) of them.

    thin: why moments are too few, or "". Thin levels become one group, together with the next
    smallest ones as long as they are thin together; a group that holds all and is thin says so.
    Raises DataError for a column that is not there and for more than 1,000 levels.
    """
    if column not in rows:
        raise DataError(f"the holdout has no column '{column}'")
    values = rows[column][part]
    if edges:
        values = pd.cut(values, [-np.inf, *edges, np.inf], right=False).astype("string")
    levels = fold_by(scored.log(quantity, part), values)
    if not levels:
        raise DataError(f"{column}: there is no decision")
    return pooled({f"{column}={level}": each for level, each in levels.items()}, thin)


def pooled(levels: Mapping[str, Moments], thin: Callable[[Moments], str]) -> tuple[Group, ...]:
    """The levels as groups in the order of their names, thin ones pooled into one at the end."""
    small = [name for name, moments in levels.items() if thin(moments)]
    others = sorted((name for name in levels if name not in small), key=lambda n: levels[n].n)
    if not small:
        return tuple(Group(name, levels[name], "") for name in sorted(levels))
    while others and thin(merged([levels[name] for name in small])):
        small.append(others.pop(0))
    rest = merged([levels[name] for name in small])
    groups = [Group(name, levels[name], "") for name in sorted(others)]
    return (*groups, Group(" + ".join(sorted(small)), rest, thin(rest)))
