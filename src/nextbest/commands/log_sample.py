"""Some rows of a log, drawn from all of it in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nextbest.data.own_log.files import Rows


@dataclass(frozen=True)
class Sampled:
    """Rows that a mapping is proposed from; `of` how many, None when they are the first ones."""

    rows: pa.Table
    of: int | None

    @property
    def told(self) -> str:
        """Which rows they are."""
        count = self.rows.num_rows
        if self.of is None:
            return f"the first {count:,} rows"
        drawn = f"{count:,} rows drawn from all {self.of:,}"
        return f"all {count:,} rows" if self.of == count else drawn


def draw_sample(
    batches: Iterable[Rows], count: int, whole: bool, seen: Callable[[int], None]
) -> Sampled:
    """Some rows, in their order: drawn alike from the whole log, or (not `whole`) its first ones.

    Of JSON lines, with all the names that any line has. Memory holds the sample and one batch.
    """
    draw = np.random.default_rng(0)  # the same rows each time
    kept: list[pa.Table] = []
    keys, rows = np.empty(0), 0
    for batch in batches:
        fresh = batch.columns
        drawn = draw.random(fresh.num_rows) if whole else rows + np.arange(fresh.num_rows) * 1.0
        rows += fresh.num_rows
        seen(fresh.num_rows)
        limit = np.partition(keys, count - 1)[count - 1] if len(keys) >= count else np.inf
        kept.append(fresh.filter(pa.array(drawn < limit)))
        keys = np.concatenate([keys, drawn[drawn < limit]])
        if len(keys) > 2 * count:
            kept, keys = _smallest(kept, keys, count)
        if not whole and rows >= count:
            break
    if not kept:
        return Sampled(pa.table({}), rows)
    kept, _ = _smallest(kept, keys, count)
    return Sampled(kept[0], rows if whole else None)


def _smallest(
    kept: list[pa.Table], keys: np.ndarray, count: int
) -> tuple[list[pa.Table], np.ndarray]:
    """The rows of the `count` smallest keys, in their order."""
    at = np.sort(np.argsort(keys, kind="stable")[:count])
    return [pa.concat_tables(kept, promote_options="permissive").take(at)], keys[at]
