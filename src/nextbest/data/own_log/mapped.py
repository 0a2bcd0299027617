"""Rows of a log by its mapping: one flat row for each; a value that can't be read stays beside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.data.own_log import values
from nextbest.data.own_log.expressions import evaluate
from nextbest.data.own_log.files import Rows
from nextbest.data.own_log.mapping import LogMapping, Moment, Value
from nextbest.decisions.treatments import NONE, SEPARATOR
from nextbest.errors import DataError

TIME = pa.timestamp("us", tz="UTC")
_FIXED = {
    "row": pa.int64(), "decision_id": pa.string(), "customer_id": pa.string(),
    "decided_at": TIME, "action_id": pa.string(), "channel": pa.string(),
    "treatment": pa.string(), "listed": pa.list_(pa.string()), "propensity": pa.float64(),
    "policy": pa.string(), "policy_version": pa.string(), "control_group": pa.bool_(),
    "grouped": pa.string(), "unreadable": pa.string(),
}  # fmt: skip


def flat_schema(mapping: LogMapping) -> pa.Schema:
    """Columns of the flat rows: fixed ones, then o<k>_… of outcome k and a<k> of attribute k."""
    fields = dict(_FIXED)
    for k, _ in enumerate(mapping.outcomes):
        fields |= {f"o{k}_reward": pa.float64(), f"o{k}_value": pa.float64(), f"o{k}_at": TIME}
    for k, each in enumerate(mapping.attributes):
        fields[f"a{k}"] = pa.float64() if each.kind == "number" else pa.string()
    return pa.schema(list(fields.items()))


class _Reading:
    """The columns of some rows, and per row what could not be read."""

    def __init__(self, rows: Rows, mapping: LogMapping) -> None:
        self.rows, self.mapping, self.count = rows.columns, mapping, rows.columns.num_rows
        self.dialect = mapping.dialect
        self.unreadable: dict[int, dict[str, str]] = {}

    def note(self, field: str, column: str, strange: np.ndarray) -> None:
        """Keep the text of each strange value by the field of the flat row that it was for."""
        for at in np.flatnonzero(strange).tolist():
            text = self.rows.column(column)[at].as_py()
            self.unreadable.setdefault(at, {})[field] = str(text)

    def noted(self) -> pa.Array:
        """What was noted, as JSON per row; null where nothing was."""
        told: list[str | None] = [None] * self.count
        for at, found in self.unreadable.items():
            told[at] = json.dumps(found, ensure_ascii=False)
        return pa.array(told, pa.string())

    def text(self, value: Value, field: str) -> pa.Array:
        """A value as text."""
        if value.constant is not None:
            return pa.array([value.constant] * self.count, pa.string())
        if value.expression is not None:
            found = self._expression(value, field).cast(pa.string())
        else:
            found = values.texts(self.rows.column(value.column), self.dialect)
        return _replaced(found, value)

    def number(self, value: Value, field: str) -> pa.Array:
        """A value as doubles."""
        if value.constant is not None:
            return pa.array(np.full(self.count, float(value.constant)))
        if value.expression is not None:
            found = self._expression(value, field)
        else:
            column = self.rows.column(value.column)
            if value.values or value.otherwise is not None:
                column = _replaced(values.texts(column, self.dialect), value)
            found, strange = values.numbers(column, self.dialect)
            self.note(field, value.column, strange)
            if value.empty is not None:
                gone = pc.and_(pc.is_null(found), pc.invert(pa.array(strange)))
                found = pc.if_else(gone, float(value.empty), found)
            return found
        return found if value.empty is None else pc.fill_null(found, float(value.empty))

    def _expression(self, value: Value, field: str) -> pa.Array:
        columns = {}
        for name in value.columns:
            if name in self.dialect.numbers:
                columns[name], strange = values.numbers(self.rows.column(name), self.dialect)
                self.note(field, name, strange)
            else:
                columns[name] = values.texts(self.rows.column(name), self.dialect)
        return evaluate(value.expression, columns, self.count)

    def moment(self, time: Moment, field: str, keys: pa.Array) -> pa.Array:
        """A time in UTC; a dealt one by a hash of the row's key."""
        if time.first is not None:
            return _dealt(keys, time)
        column = self.rows.column(time.column)
        found, strange = values.moments(column, time.formats, self.dialect)
        self.note(field, time.column, strange)
        return found


def map_rows(rows: Rows, mapping: LogMapping, log: str) -> pa.Table:
    """One flat row (flat_schema) for each row of the log, in their order, then its broken lines.

    `log` begins the ids of decisions (and customers) that have none of their own. What can't be
    read is null, and its text in `unreadable` (JSON by column of the flat row). A broken line has
    its text for an id, and nothing else. Raises DataError when the log lacks columns, naming all.
    """
    lacking = [(p, c) for p, c in mapping.uses() if c not in rows.columns.column_names]
    if lacking:
        told = "; ".join(f"{place} wants '{column}'" for place, column in lacking)
        there = ", ".join(rows.columns.column_names)
        raise DataError(f"{mapping.file}: {log} lacks columns: {told}; there are {there}")
    reading, count = _Reading(rows, mapping), rows.columns.num_rows
    number = pa.array(np.arange(rows.first, rows.first + count))
    own = pc.binary_join_element_wise(log, number.cast(pa.string()), "-")
    found = {"row": number}
    for name in ("decision_id", "customer_id"):
        value = getattr(mapping, name)
        found[name] = own if value is None else reading.text(value, name)
    found["decided_at"] = reading.moment(mapping.decided_at, "decided_at", found["decision_id"])
    action = reading.text(mapping.action_id, "action_id")
    nobody = pc.equal(action, NONE)
    channel = pc.if_else(
        pc.fill_null(nobody, False), NONE, reading.text(mapping.channel, "channel")
    )
    found |= {"action_id": action, "channel": channel, "treatment": _treatment(action, channel)}
    found["listed"] = _listed(reading, mapping, channel)
    if mapping.propensity.value is not None:
        found["propensity"] = reading.number(mapping.propensity.value, "propensity")
    for name in ("policy", "policy_version"):
        found[name] = reading.text(getattr(mapping, name), name)
    held = reading.number(mapping.control_group, "control_group")
    found["control_group"] = pc.not_equal(held, 0.0)
    found["grouped"] = _grouped(reading, mapping, found)
    found |= _outcomes(reading, mapping, found)
    for k, each in enumerate(mapping.attributes):
        read = reading.number if each.kind == "number" else reading.text
        found[f"a{k}"] = read(Value(column=each.column), f"a{k}")
    found["unreadable"] = reading.noted()
    schema = flat_schema(mapping)
    columns = [found.get(f.name, pa.nulls(count)) for f in schema]
    table = pa.table([c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    return pa.concat_tables([table, _broken(rows.broken, schema)])


def _outcomes(
    reading: _Reading, mapping: LogMapping, found: dict[str, pa.Array]
) -> dict[str, pa.Array]:
    columns = {}
    for k, each in enumerate(mapping.outcomes):
        reward = reading.number(each.reward, f"o{k}_reward")
        if each.value is None:
            value = pc.multiply(reward, each.worth)
        else:
            value = reading.number(each.value, f"o{k}_value")
            nothing = pc.and_(pc.is_null(value), pc.fill_null(pc.equal(reward, 0.0), False))
            value = pc.if_else(nothing, 0.0, value)
        at = found["decided_at"]
        if each.observed_at is not None:
            at = reading.moment(each.observed_at, f"o{k}_at", found["decision_id"])
        elif each.delay_days:
            wait = pa.scalar(round(each.delay_days * 86_400_000_000), pa.int64())
            at = pc.add(at.cast(pa.int64()), wait).cast(TIME)
        columns |= {f"o{k}_reward": reward, f"o{k}_value": value, f"o{k}_at": at}
    return columns


def _replaced(found: pa.Array, value: Value) -> pa.Array:
    """Texts by the value map; `empty` and `otherwise` fill in."""
    if value.empty is not None:
        found = pc.fill_null(found, value.empty)
    if not value.values and value.otherwise is None:
        return found
    names = pa.array(list(value.values), pa.string())
    at = pc.index_in(found, value_set=names)
    new = pc.take(pa.array(list(value.values.values()), pa.string()), at)
    rest = found
    if value.otherwise is not None:
        rest = pc.if_else(pc.is_valid(found), value.otherwise, found)
    return pc.coalesce(new, rest)


def _treatment(action: pa.Array, channel: pa.Array) -> pa.Array:
    joined = pc.binary_join_element_wise(action, channel, ":")
    return pc.if_else(pc.equal(action, NONE), NONE, joined)


def _dealt(keys: pa.Array, time: Moment) -> pa.Array:
    """Evenly over days and the hours of each, by 64 bits of the key's hash: always the same."""
    span = time.days * 86_400
    bits = [hashlib.blake2b((k or "").encode(), digest_size=8).digest() for k in keys.to_pylist()]
    share = np.frombuffer(b"".join(bits), dtype=">u8").astype(np.float64) / 2.0**64
    begin = np.datetime64(time.first).astype("datetime64[s]").astype(np.int64)
    second = begin + np.minimum(share * span, span - 1).astype(np.int64)
    return pa.array(second * 1_000_000).cast(pa.timestamp("us")).cast(TIME)


def _listed(reading: _Reading, mapping: LogMapping, channel: pa.Array) -> pa.Array:
    """The eligible treatments that the row itself lists.

    An action goes through the action's value map, and is meant by the row's channel. Whether the
    chosen one is among them is a rule of the contract.
    """
    eligible = mapping.eligible
    if eligible.how != "column":
        return pa.nulls(reading.count, pa.list_(pa.string()))
    column = reading.rows.column(eligible.column)
    sets = values.lists(column, eligible.separator, reading.dialect)
    renamed, by_action = mapping.action_id.values, eligible.of == "actions"
    known: dict[tuple[tuple[str, ...], str | None], list[str]] = {}
    found = []
    for names, where in zip(sets, channel.to_pylist(), strict=True):
        if names is None:
            found.append(None)
            continue
        if (names, where) not in known:
            named = [renamed.get(n, n) for n in names] if by_action else names
            known[names, where] = _named(named, where if by_action else None)
        found.append(known[names, where])
    return pa.array(found, pa.list_(pa.string()))


def _named(names: Sequence[str], channel: str | None) -> list[str]:
    full = [n if n == NONE or channel is None else f"{n}:{channel}" for n in names]
    return list(dict.fromkeys(full))


def _grouped(reading: _Reading, mapping: LogMapping, found: dict[str, pa.Array]) -> pa.Array:
    """What an empirical propensity is counted within: policy, eligible set, and `by`."""
    parts = [found["policy"], found["policy_version"]]
    if mapping.eligible.how == "all_of_channel":
        parts.append(found["channel"])
    parts += [values.texts(reading.rows.column(name), reading.dialect)
              for name in mapping.propensity.by]  # fmt: skip
    if mapping.eligible.how == "column":
        joined = [None if s is None else ",".join(sorted(s)) for s in found["listed"].to_pylist()]
        parts.append(pa.array(joined, pa.string()))
    return pc.binary_join_element_wise(*[pc.fill_null(p, "") for p in parts], SEPARATOR)


def _broken(lines: Sequence[str], schema: pa.Schema) -> pa.Table:
    """Lines that are no row: nothing is known but their text."""
    told = pa.array(lines, pa.string())
    columns = [told if f.name == "decision_id" else pa.nulls(len(lines), f.type) for f in schema]
    return pa.table(columns, schema=schema)
