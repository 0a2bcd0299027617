"""A mapping's YAML to its frozen values; every problem with its line."""

from __future__ import annotations

import functools
import re
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

from nextbest.data.own_log.expressions import parse_expression
from nextbest.data.own_log.files import EMPTY, Dialect
from nextbest.data.own_log.given import Reader
from nextbest.data.own_log.mapping import (
    Attribute,
    Eligible,
    LogMapping,
    Moment,
    Outcome,
    Propensity,
    Value,
)
from nextbest.data.own_log.names import RESERVED
from nextbest.data.own_log.values import EPOCHS, SINCE
from nextbest.errors import DataError

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DECISION = (
    "decision_id", "customer_id", "decided_at", "action_id", "channel", "eligible", "propensity",
    "policy", "policy_version", "control_group",
)  # fmt: skip
_NEEDED = ("decided_at", "action_id", "channel", "eligible", "propensity")


def read_mapping(path: Path) -> LogMapping:
    """Read a mapping; raises DataError with everything that is wrong, each with file:line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise DataError(f"mapping {path}: can't be read: {error}") from error
    return mapping_from(text, str(path))


def mapping_from(text: str, file: str) -> LogMapping:
    """Read a mapping's text; `file` is its name in messages."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise DataError(f"{file}:{line}: no YAML: {getattr(error, 'problem', error)}") from error
    reader = Reader(file)
    given = reader.value(node, "") if node is not None else None
    top = reader.section(given, "", ("log", "decisions", "outcomes", "customers", "actions"))
    dialect = _dialect(reader, top.get("log"))
    found = reader.section(top.get("decisions"), "decisions", _DECISION)
    for name in (name for name in _NEEDED if name not in found):
        reader.refuse(f"decisions.{name}", "is missing")
    kinds = _Kinds(dialect)

    def value(name: str, wanted: str = "text") -> Value:
        return _value(reader, found.get(name, ""), f"decisions.{name}", kinds, wanted)

    optional = {name: value(name) for name in ("decision_id", "customer_id", "policy",
                "policy_version") if name in found}  # fmt: skip
    if "control_group" in found:
        optional["control_group"] = value("control_group", "number")
    outcomes = reader.section(top.get("outcomes"), "outcomes", None)
    if not outcomes:
        reader.refuse("outcomes", "is missing: name at least one kind of outcome and its reward")
    mapping = LogMapping(
        file=file,
        dialect=dialect,
        decided_at=_moment(reader, found.get("decided_at"), "decisions.decided_at"),
        action_id=value("action_id"),
        channel=value("channel"),
        eligible=_eligible(reader, found.get("eligible")),
        propensity=_propensity(reader, found.get("propensity"), kinds),
        outcomes=tuple(_outcome(reader, name, each, kinds) for name, each in outcomes.items()),
        attributes=_attributes(reader, top.get("customers"), set(outcomes)),
        actions=_actions(reader, top.get("actions")),
        **optional,
    )
    if reader.problems:
        raise DataError("; ".join(reader.problems))
    return mapping


class _Kinds(dict):
    """Every column is text to an expression, but for those that the log names as numbers."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dict.fromkeys(dialect.numbers, "double"))

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "string"


def _dialect(reader: Reader, given: Any) -> Dialect:
    known = ("format", "encoding", "delimiter", "quote", "skip", "header", "decimal", "time_zone",
             "empty", "numbers")  # fmt: skip
    found = reader.section(given, "log", known)
    found |= reader.texts({n: each for n, each in found.items() if n in known[:8]}, "log")
    zone = found.get("time_zone", "UTC")
    if zone not in zoneinfo.available_timezones():
        reader.refuse("log.time_zone", f"is '{zone}', which is no time zone like Europe/Madrid")
    for name, allowed in (("decimal", (".", ",")), ("format", ("csv", "json", "parquet", "delta"))):
        if name in found and found[name] not in allowed:
            reader.refuse(f"log.{name}", f"is '{found[name]}'; use one of {' '.join(allowed)}")
    marks = [found.get("delimiter", ","), found.get("quote", '"')]
    if not marks[0] or any(len(mark.encode()) > 1 or mark in ("\r", "\n") for mark in marks):
        reader.refuse(
            "log", "delimiter is one character (of ASCII, no line end), quote one or none"
        )
    try:
        "".encode(found.get("encoding", "utf-8"))
    except LookupError:
        reader.refuse("log.encoding", f"is '{found['encoding']}', which is no encoding")
    if found.get("header", "true") not in ("true", "false"):
        reader.refuse("log.header", f"is '{found['header']}', not true or false")
    texts = {n: found[n] for n in known[:8] if n in found and n not in ("skip", "header")}
    return Dialect(
        **texts,
        header=found.get("header", "true") == "true",
        skip=reader.whole(found.get("skip"), "log.skip", 0, 0, 1_000_000),
        empty=reader.names(found["empty"], "log.empty") if "empty" in found else EMPTY,
        numbers=reader.names(found["numbers"], "log.numbers") if "numbers" in found else (),
    )


def _value(reader: Reader, given: Any, place: str, kinds: _Kinds, wanted: str) -> Value:
    """A bare text is a column; else exactly one of column, constant and expression."""
    if isinstance(given, str):
        return Value(column=given)
    known = ("column", "constant", "expression", "values", "otherwise", "empty")
    found = reader.section(given, place, known)
    ways = [name for name in known[:3] if name in found]
    if len(ways) != 1:
        reader.refuse(place, "needs exactly one of column, constant and expression")
        return Value(constant="")
    found |= reader.texts({n: each for n, each in found.items() if n != "values"}, place)
    expression = None
    if ways == ["expression"]:
        try:
            expression = parse_expression(found["expression"], kinds, wanted)
        except DataError as refused:
            numbers = ", ".join(kinds) or "none"
            reader.refuse(
                f"{place}.expression",
                f"{refused} (columns are text but for those in log.numbers: {numbers})",
            )
    for name in ("constant", "empty", "otherwise"):
        if wanted == "number" and name in found:
            reader.number(found[name], f"{place}.{name}", 0.0)
    return Value(
        column=found.get("column"),
        constant=found.get("constant"),
        expression=expression,
        values=reader.texts(
            reader.section(found.get("values"), f"{place}.values", None), f"{place}.values"
        ),
        otherwise=found.get("otherwise"),
        empty=found.get("empty"),
    )


def _moment(reader: Reader, given: Any, place: str) -> Moment:
    if isinstance(given, str):
        return Moment(column=given)
    found = reader.section(given, place, ("column", "formats", "dealt_from", "days"))
    if ("column" in found) == ("dealt_from" in found):
        reader.refuse(place, "needs a column with its formats, or dealt_from (a day) and days")
    found |= reader.texts({n: each for n, each in found.items() if n != "formats"}, place)
    formats = reader.names(found.get("formats", "iso"), f"{place}.formats")
    if not formats:
        reader.refuse(f"{place}.formats", "is empty: name at least one, or leave it out for iso")
    for each in formats:
        if "%" in each:
            told = f"'{each}', which strptime can read"
            _try(reader, f"{place}.formats", functools.partial(_written_and_read, each), told)
        elif each != "iso" and each not in EPOCHS and not SINCE.fullmatch(each):
            known = ", ".join(("iso", *EPOCHS, "seconds_since 2026-01-01", "%d/%m/%Y %H:%M"))
            reader.refuse(f"{place}.formats", f"'{each}' is none of {known}")
    first = found.get("dealt_from")
    # At least two: learned from, and held out.
    days = reader.whole(found.get("days"), f"{place}.days", 14, 2, 3_650)
    if first is not None:
        _try(reader, f"{place}.dealt_from", lambda: date.fromisoformat(first), "a day: 2026-01-31")
    return Moment(found.get("column"), formats, first, days)


def _written_and_read(pattern: str) -> None:
    day = datetime(2026, 1, 31, 10, tzinfo=UTC)
    datetime.strptime(day.strftime(pattern), pattern)


def _try(reader: Reader, place: str, work: Callable[[], Any], wanted: str) -> None:
    try:
        work()
    except ValueError:
        reader.refuse(place, f"is not {wanted}")


def _eligible(reader: Reader, given: Any) -> Eligible:
    place = "decisions.eligible"
    if given in ("all", "all_of_channel"):
        return Eligible(given)
    if isinstance(given, str):
        return Eligible("column", given)
    found = reader.section(given, place, ("column", "separator", "of", "treatments"))
    if ("column" in found) == ("treatments" in found):
        reader.refuse(
            place, "is all, all_of_channel, {column, separator, of} or {treatments: [...]}"
        )
    found |= reader.texts({n: each for n, each in found.items() if n != "treatments"}, place)
    of = found.get("of", "actions")
    if of not in ("actions", "treatments"):
        reader.refuse(f"{place}.of", f"is '{of}', not actions or treatments")
    listed = reader.names(found.get("treatments", []), f"{place}.treatments")
    how = "column" if "column" in found else "treatments"
    return Eligible(how, found.get("column"), found.get("separator"), of, listed)


def _propensity(reader: Reader, given: Any, kinds: _Kinds) -> Propensity:
    place = "decisions.propensity"
    if given in ("uniform", "empirical", "unknown"):
        return Propensity(given)
    if isinstance(given, Mapping) and "empirical" in given:
        reader.section(given, place, ("empirical",))
        return Propensity("empirical", by=reader.names(given["empirical"], f"{place}.empirical"))
    value = _value(reader, given or "", place, kinds, "number")
    if value.constant is not None and not 0 < reader.number(value.constant, place, 1.0) <= 1:
        reader.refuse(place, f"is '{value.constant}', not above 0 and at most 1")
    return Propensity("value", value)


def _outcome(reader: Reader, kind: str, given: Any, kinds: _Kinds) -> Outcome:
    place = f"outcomes.{kind}"
    if not _NAME.fullmatch(kind):
        reader.refuse(place, "is no name: small letters, digits and _")
    known = ("reward", "value", "worth", "observed_at", "delay_days")
    found = reader.section(given, place, known)
    if "reward" not in found:
        reader.refuse(place, "needs a reward, which is 0 or 1 (or between)")
    if "worth" not in found:
        reader.refuse(place, "needs a worth: the money that one such outcome brings, on average")
    reward = _value(reader, found.get("reward", ""), f"{place}.reward", kinds, "number")
    value = None
    if "value" in found:
        value = _value(reader, found["value"], f"{place}.value", kinds, "number")
    seen = None
    if "observed_at" in found:
        seen = _moment(reader, found["observed_at"], f"{place}.observed_at")
    delay = reader.number(found.get("delay_days"), f"{place}.delay_days", 0.0)
    if delay < 0:
        reader.refuse(f"{place}.delay_days", "is negative: an outcome follows its decision")
    return Outcome(
        kind, reward, reader.number(found.get("worth"), f"{place}.worth", 1.0), value, seen, delay
    )


def _attributes(reader: Reader, given: Any, kinds: set[str]) -> tuple[Attribute, ...]:
    found = []
    for name, each in reader.section(given, "customers", None).items():
        place = f"customers.{name}"
        if not _NAME.fullmatch(name) or name in RESERVED | kinds:
            reader.refuse(place, "is no free name: small letters, digits and _, none of the log's")
        if isinstance(each, str):
            each = {"column": name, "kind": each}
        told = reader.texts(reader.section(each, place, ("column", "kind")), place)
        if told.get("kind") not in ("number", "text"):
            reader.refuse(place, "needs a kind: number or text")
        found.append(Attribute(name, told.get("column", name), told.get("kind", "text")))
    return tuple(found)


def _actions(reader: Reader, given: Any) -> str | None:
    return reader.texts(reader.section(given, "actions", ("file",)), "actions").get("file")
