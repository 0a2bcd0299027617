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
from nextbest.data.own_log.lacking import check_lines
from nextbest.data.own_log.mapped import map_rows, outcome_faults
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
    DataError where the log can't be read on, and for columns that no JSON line has.
    """
    tried = Tried()
    ids: list[tuple[np.ndarray, np.ndarray]] = []
    for rows in check_lines(batches, mapping, log):
        flat = map_rows(rows, mapping, log)
        bad = _look(flat, mapping, tried)
        if mapping.decision_id is not None:
            named = flat["decision_id"].to_pandas().to_numpy()[: rows.columns.num_rows]
            hashed = pd.util.hash_array(named, categorize=False)
            ids.append((hashed, bad[: len(hashed)]))
        seen(flat.num_rows)
    if ids:
        _doubles(ids, tried)
    return tried


def _look(flat: pa.Table, mapping: LogMapping, tried: Tried) -> np.ndarray:
    """Count what is wrong; which rows are rejected for it."""
    tried.rows += flat.num_rows
    bad = np.zeros(flat.num_rows, dtype=bool)
    unread = flat["unreadable"].combine_chunks()
    strange = {
        at: json.loads(unread[at].as_py()) for at in np.flatnonzero(_true(pc.is_valid(unread)))
    }
    places = {field: place for field, place, _, _ in mapping.parts()}
    for at, fields in strange.items():
        for name, text in fields.items():
            _count(tried, f"{places[name]} can't be read", at, f"'{text}'", flat)
        bad[at] = True  # of an attribute, too: a decision goes with its customer
    broken = _true(pc.is_null(flat["row"]))
    for at in np.flatnonzero(broken):
        _count(tried, "a broken line", at, flat["decision_id"][int(at)].as_py()[:120], flat)
    bad |= broken
    for reason, rule in {**_rules(flat, mapping), **outcome_faults(mapping, flat)}.items():
        found = rule & ~broken
        place = reason.split(" ")[0]
        for at in np.flatnonzero(found):
            if any(places[name] == place for name in strange.get(at, ())):
                continue  # told already, with its text
            _count(tried, reason, at, "", flat)
        bad |= found
    for k, each in enumerate(mapping.outcomes):
        happened = pc.greater(flat[f"o{k}_reward"], 0.0)
        tried.rewarded[each.kind] += pc.sum(happened.cast(pa.int64())).as_py() or 0
    tried.rejected += int(bad.sum())
    if len(tried.treatments) < MOST_TREATMENTS:
        tried.treatments |= set(pc.unique(flat["treatment"]).to_pylist()) - {None}
    span = pc.min_max(flat["decided_at"]).as_py()
    if span["min"] is not None:
        tried.first = min(tried.first or span["min"], span["min"])
        tried.last = max(tried.last or span["max"], span["max"])
    return bad


def _rules(flat: pa.Table, mapping: LogMapping) -> dict[str, np.ndarray]:
    """The contract's rules for decisions that a row breaks by itself, and which rows do."""
    needed = ("decision_id", "customer_id", "decided_at", "action_id", "channel", "policy",
              "control_group")  # fmt: skip
    rules = {f"decisions.{name} is empty": pc.is_null(flat[name]) for name in needed}
    if mapping.propensity.value is not None:
        chance = flat["propensity"]
        inside = pc.and_(pc.greater(chance, 0.0), pc.less_equal(chance, 1.0))
        rules["decisions.propensity is empty"] = pc.is_null(chance)
        rules["decisions.propensity is not in (0, 1]"] = pc.invert(inside)
    if mapping.eligible.how == "column":
        rules["decisions.eligible is empty"] = pc.is_null(flat["listed"])
        pairs = zip(flat["treatment"].to_pylist(), flat["listed"].to_pylist(), strict=True)
        rules["decisions.eligible lacks what was chosen"] = pa.array(
            [s is not None and t is not None and t not in s for t, s in pairs], pa.bool_()
        )
    if mapping.eligible.how == "treatments":
        known = pa.array(mapping.eligible.treatments, pa.string())
        outside = pc.invert(pc.is_in(flat["treatment"], value_set=known))
        # What is empty is told already.
        rules["decisions.eligible lacks what was chosen"] = pc.and_(
            outside, pc.is_valid(flat["treatment"])
        )
    return {name: _true(pc.fill_null(rule, False)) for name, rule in rules.items()}


def _count(tried: Tried, reason: str, at: int, text: str, flat: pa.Table) -> None:
    tried.reasons[reason] += 1
    shown = tried.examples.setdefault(reason, [])
    if len(shown) < SHOWN:
        row = flat["row"][int(at)].as_py()
        shown.append(" ".join(filter(None, ["" if row is None else f"row {row}", text])))


def _doubles(pieces: list[tuple[np.ndarray, np.ndarray]], tried: Tried) -> None:
    """All rows of an id that comes twice are rejected: none is known to be the right one.

    `pieces` are the hashes of ids, and which rows are rejected already. What has no id is.
    """
    ordered = np.concatenate([hashed for hashed, _ in pieces])
    ordered.sort()  # in place: a log of 10 million ids takes 80 MB here, and no more
    doubled = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(doubled):
        return
    reason, before = "decision_id is on several rows", 0
    shown = tried.examples.setdefault(reason, [])
    nameless = pd.util.hash_array(np.array([None], dtype=object), categorize=False)
    for piece, bad in pieces:
        twice = np.isin(piece, doubled) & (piece != nameless)
        again = np.flatnonzero(twice)
        tried.reasons[reason] += len(again)
        tried.rejected += int((twice & ~bad).sum())
        shown += [f"row {before + at + 1}" for at in again[: SHOWN - len(shown)]]
        before += len(piece)
    if not tried.reasons[reason]:
        del tried.reasons[reason]


def _true(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return (
        values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    )
