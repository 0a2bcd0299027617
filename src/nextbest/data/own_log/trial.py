"""A mapping tried on a whole log without an engine: what would be rejected, and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.data.own_log.files import Rows
from nextbest.data.own_log.mapped import map_rows
from nextbest.data.own_log.mapping import LogMapping

SHOWN = 3  # examples of each reason
MOST_TREATMENTS = 100_000


@dataclass
class Tried:
    """Counts over a log: rows, rows rejected as decisions, reasons with their first rows."""

    rows: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    treatments: set[str] = field(default_factory=set)
    rewarded: Counter[str] = field(default_factory=Counter)
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None

    @property
    def share(self) -> float:
        """Rejected rows among all."""
        return self.rejected / self.rows if self.rows else 0.0

    def told(self) -> list[str]:
        """One sentence for each reason, the commonest first."""
        return [
            f"{count:,} rows: {reason} ({'; '.join(self.examples[reason])})"
            for reason, count in self.reasons.most_common()
        ]


def try_mapping(
    batches: Iterable[Rows],
    mapping: LogMapping,
    log: str,
    seen: Callable[[int], None] = lambda rows: None,
) -> Tried:
    """Map every row and hold it against the rules that need no other row (but unique ids).

    Memory does not grow with the log, but for 16 bytes an id where the log has ids. Raises
    DataError where the log can't be read on.
    """
    tried = Tried()
    hashes: list[np.ndarray] = []
    for rows in batches:
        flat = map_rows(rows, mapping, log)
        _look(flat, mapping, tried)
        if mapping.decision_id is not None:
            whole = flat.filter(pc.is_valid(flat["row"]))
            hashes.append(
                pd.util.hash_array(whole["decision_id"].to_pandas().to_numpy(), categorize=False)
            )
        seen(flat.num_rows)
    if hashes:
        _doubles(hashes, tried)
    return tried


def _look(flat: pa.Table, mapping: LogMapping, tried: Tried) -> None:
    tried.rows += flat.num_rows
    bad = np.zeros(flat.num_rows, dtype=bool)
    unread = flat["unreadable"].combine_chunks()
    strange = {
        at: json.loads(unread[at].as_py()) for at in np.flatnonzero(_true(pc.is_valid(unread)))
    }
    names = {f"a{k}": each.name for k, each in enumerate(mapping.attributes)}
    for k, each in enumerate(mapping.outcomes):
        names |= {f"o{k}_{part}": f"{each.kind}.{part}" for part in ("reward", "value", "at")}
    for at, fields in strange.items():
        for name, text in fields.items():
            _count(tried, f"{names.get(name, name)} can't be read", at, f"'{text}'", flat)
            bad[at] = True  # of an attribute, too: a decision goes with its customer
    broken = _true(pc.is_null(flat["row"]))
    for at in np.flatnonzero(broken):
        _count(tried, "a broken line", at, flat["decision_id"][int(at)].as_py()[:120], flat)
    bad |= broken
    rules = {
        f"{name} is empty": pc.is_null(flat[name])
        for name in ("decision_id", "customer_id", "decided_at", "action_id", "channel", "policy")
    }
    if mapping.propensity.value is not None:
        chance = flat["propensity"]
        inside = pc.and_(pc.greater(chance, 0.0), pc.less_equal(chance, 1.0))
        rules["propensity is empty"] = pc.is_null(chance)
        rules["propensity is not in (0, 1]"] = pc.fill_null(pc.invert(inside), False)
    if mapping.eligible.how == "column":
        rules["eligible is empty"] = pc.is_null(flat["listed"])
        pairs = zip(flat["treatment"].to_pylist(), flat["listed"].to_pylist(), strict=True)
        rules["what was chosen is not eligible"] = pa.array(
            [s is not None and t is not None and t not in s for t, s in pairs], pa.bool_()
        )
    for k, each in enumerate(mapping.outcomes):
        reward = flat[f"o{k}_reward"]
        outside = pc.or_(pc.less(reward, 0.0), pc.greater(reward, 1.0))
        rules[f"{each.kind}.reward is empty"] = pc.is_null(reward)
        rules[f"{each.kind}.reward is not within 0 and 1"] = pc.fill_null(outside, False)
        early = pc.and_(pc.less(flat[f"o{k}_at"], flat["decided_at"]), pc.not_equal(reward, 0.0))
        rules[f"{each.kind} was seen before its decision"] = pc.fill_null(early, False)
        tried.rewarded[each.kind] += (
            pc.sum(pc.cast(pc.greater(reward, 0.0), pa.int64())).as_py() or 0
        )
    for reason, rule in rules.items():
        found = _true(rule) & ~broken
        field_ = reason.split(" ")[0]
        for at in np.flatnonzero(found):
            if any(names.get(name, name) == field_ for name in strange.get(at, ())):
                continue  # told already, with its text
            _count(tried, reason, at, "", flat)
        bad |= found
    tried.rejected += int(bad.sum())
    if len(tried.treatments) < MOST_TREATMENTS:
        tried.treatments |= set(pc.unique(flat["treatment"]).to_pylist()) - {None}
    span = pc.min_max(flat["decided_at"]).as_py()
    if span["min"] is not None:
        tried.first = min(tried.first or span["min"], span["min"])
        tried.last = max(tried.last or span["max"], span["max"])


def _count(tried: Tried, reason: str, at: int, text: str, flat: pa.Table) -> None:
    tried.reasons[reason] += 1
    shown = tried.examples.setdefault(reason, [])
    if len(shown) < SHOWN:
        row = flat["row"][int(at)].as_py()
        shown.append(" ".join(filter(None, ["" if row is None else f"row {row}", text])))


def _doubles(pieces: list[np.ndarray], tried: Tried) -> None:
    """All rows of an id that comes twice are rejected: none is known to be the right one."""
    ordered = np.concatenate(pieces)
    ordered.sort()  # in place: a log of 10 million ids takes 80 MB here, and no more
    doubled = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(doubled):
        return
    reason, before = "decision_id is on several rows", 0
    shown = tried.examples.setdefault(reason, [])
    for piece in pieces:
        again = np.flatnonzero(np.isin(piece, doubled))
        tried.reasons[reason] += len(again)
        shown += [f"row {before + at + 1}" for at in again[: SHOWN - len(shown)]]
        before += len(piece)
    tried.rejected = min(tried.rows, tried.rejected + tried.reasons[reason])


def _true(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return (
        values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    )
