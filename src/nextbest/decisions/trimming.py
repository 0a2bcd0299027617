"""Bend probabilities until no draw can exceed a limit: what is cut goes to leaving alone.

Contacts per treatment and channel are drawn at the floor or ceiling of their expectation
(rounding.py), so an expectation of at most the (whole) capacity is enough. Spend is
Σ cost·count: the expected spend must be at most the budget, and so must be the spend of every
count at its ceiling; treatments whose ceilings are too dear, the dearest first, are cut to a whole
expectation, which is then the count of every draw. That costs less than one contact each.
"""

from __future__ import annotations

import numpy as np

from nextbest.decisions.limits import BUDGET, Limits
from nextbest.decisions.rerouting import reroute
from nextbest.decisions.rounding import MOST_ROWS, ONE, to_units
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError

_SAFE = 1 - 1e-12  # a factor's rounding error must not lift a sum over its limit


def within_limits(
    probabilities: np.ndarray,
    eligible: np.ndarray,
    treatments: Treatments,
    limits: Limits,
    floor: np.ndarray | None = None,
) -> np.ndarray:
    """Cut probabilities [n, K] to what draw_within can keep, a deterministic function of the data.

    Rows stay distributions over eligible (bool [n, K]), in multiples of 2⁻⁴⁰, so what is logged is
    what is drawn. Mass that is cut goes to "none", or to the first eligible treatment without a
    limit where "none" is not eligible, or else to other treatments with limits (rerouting), for
    which others give way if they must. `floor` [n] protects each probability up to that number:
    1/|eligible| in the control group and ε/|eligible| elsewhere keeps both the control group and
    the exploration as they are, unless these alone exceed a limit; then both shrink by the same
    factor. Raises DataError for rows that can't be served within the limits, with their count.
    """
    limits.check(probabilities.shape, "probabilities")
    if not len(limits):
        return probabilities
    if len(probabilities) > MOST_ROWS:
        raise DataError(f"{len(probabilities)} rows are more than the {MOST_ROWS} of one draw")
    outlet = _outlets(eligible, treatments, limits)
    units = np.stack([to_units(column) for column in probabilities.T])
    protected = np.zeros(len(probabilities), dtype=np.int64) if floor is None else to_units(floor)
    stuck = np.flatnonzero(outlet < 0)
    protected[stuck] = ONE
    # What rounding to units took from them goes back at once, so that only limits can fail them.
    lack = ONE - units[:, stuck].sum(axis=0)
    rounded = np.where(lack <= len(units), lack, 0)
    units[units[:, stuck].argmax(axis=0), stuck] += rounded
    _cut(units, limits, protected)
    for alone in (False, True):
        if _lacking(units, stuck):
            reroute(units, eligible, stuck, limits, alone=alone)
            protected[outlet >= 0] = 0
            _cut(units, limits, protected)
    if lost := _lacking(units, stuck):
        raise DataError(
            f"{lost} of {len(protected)} customers may only get treatments that have a limit, and "
            "the limits don't hold all of them; make 'none' (or another treatment without a limit) "
            "eligible for them, or raise the limits"
        )
    rest = ONE - units.sum(axis=0)
    rows = np.flatnonzero(rest > 0)
    units[outlet[rows], rows] += rest[rows]
    # One column at a time, so that no third matrix is held.
    result = np.empty(probabilities.shape)
    for k, column in enumerate(units):
        result[:, k] = column / ONE
    return result


def _lacking(units: np.ndarray, stuck: np.ndarray) -> int:
    """How many of the rows `stuck` are no distribution yet."""
    return int((units[:, stuck].sum(axis=0) < ONE).sum())


def kept(parts: np.ndarray, limits: Limits) -> np.ndarray:
    """What limits leave of parts of distributions, [n, K] with rows of at most 1, in 2⁻⁴⁰."""
    units = np.stack([to_units(column) for column in parts.T])
    _cut(units, limits, np.zeros(len(parts), dtype=np.int64))
    return np.ascontiguousarray(units.T) / ONE


def _cut(units: np.ndarray, limits: Limits, protected: np.ndarray) -> None:
    """Bring the expectations of units [K, n] within every limit, in place."""
    for row in np.flatnonzero(limits.counts):
        members = np.flatnonzero(limits.usage[row] > 0)
        _shrink(units, members, [1] * len(members), int(limits.capacity[row]) * ONE, protected)
    if BUDGET in limits.names:
        row = limits.names.index(BUDGET)
        members = np.flatnonzero(limits.usage[row] > 0)
        cost = limits.usage[row, members].tolist()
        _shrink(units, members, cost, float(limits.capacity[row]) * ONE, protected)
        _make_affordable(units, limits, row, protected)


def _outlets(eligible: np.ndarray, treatments: Treatments, limits: Limits) -> np.ndarray:
    """Where each row's cut mass goes, int [n]: "none", or its first free treatment, or -1."""
    free = eligible & limits.free
    outlet = np.where(free.any(axis=1), free.argmax(axis=1), -1)
    for none in np.flatnonzero(treatments.is_none):
        outlet[eligible[:, none]] = none
    return outlet


def _shrink(
    units: np.ndarray,
    members: np.ndarray,
    usage: list[float] | list[int],
    most: float | int,
    protected: np.ndarray,
) -> None:
    """Scale the rows `members` of units [K, n], in place, until Σ usage·units is at most `most`.

    With whole usage the sums are Python's, hence exact.
    """
    total = sum(use * int(units[k].sum()) for use, k in zip(usage, members, strict=True))
    if total <= most:
        return
    guarded = [int(np.minimum(units[k], protected).sum()) for k in members]
    base = sum(use * amount for use, amount in zip(usage, guarded, strict=True))
    if base > most:
        inner, outer = most / base * _SAFE, 0.0
    else:
        inner, outer = 1.0, (most - base) / (total - base) * _SAFE
    for k in members:
        part = np.minimum(units[k], protected)
        units[k] = _scaled(part, inner) + _scaled(units[k] - part, outer)


def _scaled(units: np.ndarray, factor: float) -> np.ndarray:
    return units if factor == 1.0 else (units * factor).astype(np.int64)


def _make_affordable(units: np.ndarray, limits: Limits, row: int, protected: np.ndarray) -> None:
    """Cut the dearest treatments to whole expectations until every ceiling can be paid."""
    groups, member = np.unique(limits.usage, axis=1, return_inverse=True)
    members = [np.flatnonzero(member.reshape(-1) == group) for group in range(groups.shape[1])]
    totals = [sum(int(units[k].sum()) for k in group) for group in members]
    counts = np.array([-(-total // ONE) for total in totals])
    for group in np.argsort(-groups[row], kind="stable"):
        if groups[row] @ counts <= limits.capacity[row]:
            return
        whole = totals[group] // ONE
        _shrink(units, members[group], [1] * len(members[group]), whole * ONE, protected)
        counts[group] = whole
