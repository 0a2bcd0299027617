"""Rows of a log by its mapping: one flat row for each; a value that can't be read stays beside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.data.own_log import values
from nextbest.data.own_log.files import Rows
from nextbest.data.own_log.mapping import LogMapping
from nextbest.data.own_log.read_values import READERS, TIME, Read, dealt
from nextbest.decisions.treatments import NONE, SEPARATOR

_FIXED = {
    "row": pa.int64(), "decision_id": pa.string(), "customer_id": pa.string(),
    "decided_at": TIME, "action_id": pa.string(), "channel": pa.string(),
    "treatment": pa.string(), "listed": pa.list_(pa.string()), "propensity": pa.float64(),
    "policy": pa.string(), "policy_version": pa.string(), "control_group": pa.bool_(),
    "grouped": pa.string(), "unreadable": pa.string(), "fault": pa.string(),
}  # fmt: skip


def flat_schema(mapping: LogMapping) -> pa.Schema:
    """Columns of the flat rows: fixed ones, then o<k>_… of outcome k and a<k> of attribute k."""
    fields = dict(_FIXED)
    for k, _ in enumerate(mapping.outcomes):
        fields |= {f"o{k}_reward": pa.float64(), f"o{k}_value": pa.float64(), f"o{k}_at": TIME}
    for k, each in enumerate(mapping.attributes):
        fields[f"a{k}"] = pa.float64() if each.kind == "number" else pa.string()
    return pa.schema(list(fields.items()))


def map_rows(rows: Rows, mapping: LogMapping, log: str) -> pa.Table:
    """One flat row (flat_schema) for each row of the log, in their order, then its broken lines.

    `rows` has every column that the mapping uses (lacking.check_columns). `log` begins the ids of
    decisions (and customers) that have none of their own. What can't be read is null, and its text
    in `unreadable` (JSON by column of the flat row); `fault` says in words what is wrong with the
    row. A broken line has its text for an id, and nothing else.
    """
    table, count = rows.columns, rows.columns.num_rows
    number = pa.array(np.arange(rows.first, rows.first + count))
    own = pc.binary_join_element_wise(log, number.cast(pa.string()), "-")
    read = {field: READERS[kind](table, source, mapping.dialect)
            for field, _, kind, source in mapping.parts()}  # fmt: skip
    found = {field: each.values for field, each in read.items()}
    found = {"row": number, "decision_id": own, "customer_id": own, **found}
    if mapping.decided_at.first is not None:
        found["decided_at"] = dealt(found["decision_id"], mapping.decided_at)
    nobody = pc.fill_null(pc.equal(found["action_id"], NONE), False)
    found["channel"] = pc.if_else(nobody, NONE, found["channel"])
    found["treatment"] = _treatment(found["action_id"], found["channel"])
    found["listed"] = _listed(table, mapping, found["channel"])
    found["control_group"] = pc.not_equal(found["control_group"], 0.0)
    found["grouped"] = _grouped(table, mapping, found)
    found |= _outcomes(mapping, found)
    unreadable, told = _unreadable(table, mapping, read)
    found["unreadable"] = unreadable
    found["fault"] = _faults(told, outcome_faults(mapping, found), count)
    schema = flat_schema(mapping)
    columns = [found.get(f.name, pa.nulls(count)) for f in schema]
    flat = pa.table([c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    return pa.concat_tables([flat, _broken(rows.broken, schema)])


def outcome_faults(
    mapping: LogMapping, found: Mapping[str, pa.Array | pa.ChunkedArray]
) -> dict[str, np.ndarray]:
    """What is wrong with outcomes, in words, and in which of the flat rows.

    A decision of which can't be told what came of it is no failure: its row is rejected, too.
    """
    faults = {}
    for k, each in enumerate(mapping.outcomes):
        reward, value, at = (found[f"o{k}_{part}"] for part in ("reward", "value", "at"))
        came = pc.not_equal(pc.fill_null(reward, 0.0), 0.0)
        outside = pc.or_(pc.less(reward, 0.0), pc.greater(reward, 1.0))
        where = {
            "reward is empty": pc.is_null(reward),
            "reward is not within 0 and 1": outside,
            "value is empty": pc.and_(pc.is_null(value), pc.is_valid(reward)),
            "observed_at is empty": pc.and_(came, pc.is_null(at)),
            "observed_at is before decided_at": pc.and_(came, pc.less(at, found["decided_at"])),
        }
        faults |= {
            f"outcomes.{each.kind}.{fault}": np.asarray(pc.fill_null(rule, False), dtype=bool)
            for fault, rule in where.items()
        }
    return faults


def _outcomes(mapping: LogMapping, found: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Each outcome's value and time, where the log does not tell them itself."""
    columns = {}
    for k, each in enumerate(mapping.outcomes):
        reward = found[f"o{k}_reward"]
        if each.value is None:
            columns[f"o{k}_value"] = pc.multiply(reward, each.worth)
        else:
            value = found[f"o{k}_value"]
            nothing = pc.and_(pc.is_null(value), pc.fill_null(pc.equal(reward, 0.0), False))
            columns[f"o{k}_value"] = pc.if_else(nothing, 0.0, value)
        if each.observed_at is None:
            wait = pa.scalar(round(each.delay_days * 86_400_000_000), pa.int64())
            columns[f"o{k}_at"] = pc.add(found["decided_at"].cast(pa.int64()), wait).cast(TIME)
    return columns


def _unreadable(
    table: pa.Table, mapping: LogMapping, read: Mapping[str, Read]
) -> tuple[pa.Array, dict[int, list[str]]]:
    """The texts that could not be read, as JSON by field; and by row what is told of them."""
    places = {field: place for field, place, _, _ in mapping.parts()}
    texts: dict[int, dict[str, str]] = {}
    told: dict[int, list[str]] = {}
    for field, each in read.items():
        for column, strange in each.strange:
            for at in np.flatnonzero(strange).tolist():
                text = str(table.column(column)[at].as_py())
                texts.setdefault(at, {})[field] = text
                told.setdefault(at, []).append(
                    f"{places[field]}: column '{column}' is '{text}', which can't be read"
                )
    found: list[str | None] = [None] * table.num_rows
    for at, each in texts.items():
        found[at] = json.dumps(each, ensure_ascii=False)
    return pa.array(found, pa.string()), told


def _faults(
    told: dict[int, list[str]], of_outcomes: Mapping[str, np.ndarray], count: int
) -> pa.Array:
    """What is wrong with each row, in words; null where nothing is."""
    unread = set(told)  # what can't be read is empty, too
    for fault, where in of_outcomes.items():
        for at in set(np.flatnonzero(where).tolist()) - unread:
            told.setdefault(at, []).append(fault)
    texts: list[str | None] = [None] * count
    for at, each in told.items():
        texts[at] = "; ".join(each)
    return pa.array(texts, pa.string())


def _treatment(action: pa.Array, channel: pa.Array) -> pa.Array:
    joined = pc.binary_join_element_wise(action, channel, ":")
    return pc.if_else(pc.equal(action, NONE), NONE, joined)


def _listed(table: pa.Table, mapping: LogMapping, channel: pa.Array) -> pa.Array:
    """The eligible treatments that the row itself lists.

    An action goes through the action's value map, and is meant by the row's channel. Whether the
    chosen one is among them is a rule of the contract.
    """
    eligible = mapping.eligible
    if eligible.how != "column":
        return pa.nulls(len(channel), pa.list_(pa.string()))
    sets = values.lists(table.column(eligible.column), eligible.separator, mapping.dialect)
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


def _grouped(table: pa.Table, mapping: LogMapping, found: Mapping[str, pa.Array]) -> pa.Array:
    """What an empirical propensity is counted within: policy, eligible set, and `by`."""
    parts = [found["policy"], found["policy_version"]]
    if mapping.eligible.how == "all_of_channel":
        parts.append(found["channel"])
    parts += [values.texts(table.column(name), mapping.dialect)
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
