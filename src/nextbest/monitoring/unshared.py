"""More categories than are counted one by one: which names only one side has, and the largest gap.

Rows by 256 hashes hardly change when all of many thousand names are replaced by others. So the rows
of the names with the smallest hashes are kept, too: a sample of names, the same on both sides.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from nextbest.monitoring import distinct
from nextbest.monitoring.distinct import Distinct
from nextbest.monitoring.items import name_hashes
from nextbest.monitoring.sketches import CategorySketch
from nextbest.monitoring.statistics import Counts

ERRORS = 3  # standard errors that an estimate is lowered by
_ALL = float(2**64)


def as_counts(now: CategorySketch, base: CategorySketch) -> tuple[Counts, Counts] | None:
    """Rows under names of one's own and under common ones, of which distances are lower bounds.

    Of the sample, rows under names that the other side lacks, less those expected by chance if
    both were drawn from one distribution: a name with c rows in all is on one side only with
    chance f^c, f being the side's share of the rows. Estimated as of a sample by the smallest
    hashes, with a relative standard error of 3 % where names are about equally frequent, and
    lowered by ERRORS standard errors: 1 in 700 is too large. A name in one row only, as an
    identifier, is chance. None where a stored sketch has no such sample. Source: Cohen and Kaplan
    (2007), "Summarizing data using bottom-k sketches", PODC; Horvitz and Thompson (1952).
    """
    sides = _sampled(now), _sampled(base)
    if any(side is None for side in sides):
        return None
    # Below the smaller bound each side has all its names.
    bound = min(_bound(side.distinct) for side in (now, base))
    table = pd.concat(sides, axis=1, keys=range(2)).fillna(0.0)
    rows = table[table.index.to_numpy(dtype=np.uint64) < bound].to_numpy().T
    pooled, known = rows.sum(axis=0), [side.rows - side.nulls for side in (now, base)]
    counts = []
    for at, (side, name) in enumerate(((now, "now"), (base, "then"))):
        own = np.where(rows[1 - at] == 0, rows[at], 0.0)
        share = known[at] / max(sum(known), 1)
        beyond = own - pooled * share**pooled
        estimate = beyond.sum() - ERRORS * np.sqrt(np.sum(beyond**2))
        found = int(np.clip(estimate * _ALL / float(bound), 0, known[at]))
        counts.append(Counts({name: found, "both": known[at] - found, None: side.nulls}))
    return counts[0], counts[1]


def largest_gap(now: CategorySketch, base: CategorySketch) -> float:
    """Largest difference of a share that is certain, whatever the counts gave up; NaN when empty.

    A lower bound of the largest difference, by less than both sides' `lost` rows as shares.
    """
    if not now.rows or not base.rows:
        return float("nan")
    low = pd.concat(
        [pd.Series(side.items.rows, index=side.items.names) for side in (now, base)], axis=1
    )
    low = low.fillna(0.0).to_numpy().T
    (p, most_p), (q, most_q) = (
        (rows / side.rows, (rows + side.items.lost) / side.rows)
        for rows, side in zip(low, (now, base), strict=True)
    )
    missing = abs(now.nulls / now.rows - base.nulls / base.rows)
    return float(max(np.max(np.maximum(p - most_q, q - most_p), initial=0.0), missing))


def _sampled(side: CategorySketch) -> pd.Series | None:
    """Rows by the hash of the name."""
    if side.items.exact:
        found = pd.Series(side.items.rows, index=name_hashes(side.items.names))
        return found.groupby(level=0).sum()
    return None if side.sampled is None else pd.Series(side.sampled, index=side.distinct.hashes)


def _bound(found: Distinct) -> np.uint64:
    """Hashes below it are all there."""
    full = len(found.hashes) >= distinct.KEPT
    return found.hashes[-1] if full else np.uint64(2**64 - 1)
