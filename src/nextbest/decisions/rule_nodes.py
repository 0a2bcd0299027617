"""The nodes of a rule's tree that the language allows, each read into SQL with its kind."""

from __future__ import annotations

import datetime as dt
import difflib
import math
from dataclasses import replace

from sqlglot import exp

from nextbest.decisions.rule_parts import (
    KINDS,
    TYPES,
    UNKNOWN,
    Part,
    Place,
    Reading,
    a,
    alike,
    any_of,
    balanced,
    settled,
    sql_text,
    wanted,
)
from nextbest.tables import sql_name

ALLOWED = (
    "columns, numbers, 'text', true, false, DATE and TIMESTAMP literals, AND OR NOT, = <> < <= > "
    ">=, IN (list), BETWEEN, LIKE, IS [NOT] NULL, + - * / %, CASE, IF, COALESCE, ABS, LEAST, "
    "GREATEST, LOWER, UPPER, LENGTH and DAYS_SINCE(column)"
)
# The embedded engine dies of some 500 nested operators and takes twice as long per nested CASE.
MOST_LEVELS, MOST_CASES = 20, 4
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_ARITHMETIC = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_COMPARISONS = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_FUNCTIONS = {  # name, kind of the arguments (None: all alike), kind of the result (None: the same)
    exp.Abs: ("abs", "number", "number"),
    exp.Lower: ("lower", "text", "text"),
    exp.Upper: ("upper", "text", "text"),
    exp.Length: ("char_length", "text", "number"),
    exp.Least: ("least", None, None),
    exp.Greatest: ("greatest", None, None),
    exp.Coalesce: ("coalesce", None, None),
}
# What the parser adds of its own accord; every other argument of a node must be read below.
_HARMLESS = {"typed", "safe", "quoted", "is_string", "is_nvl", "ignore_nulls", "_type"}


def read(node: exp.Expression, place: Place, reading: Reading) -> Part:
    """The SQL and the kind of one node; what is wrong goes to the reading's problems."""
    place = replace(place, position=_position(node, place.position), levels=place.levels + 1)
    if place.levels > MOST_LEVELS:
        return reading.refuse(f"more than {MOST_LEVELS} levels", place)
    kind = type(node)
    if kind is exp.Paren:
        return read(node.this, place, reading)
    if kind in (exp.And, exp.Or):
        terms = [wanted(read(term, place, reading), "boolean", place, reading).sql
                 for term in _chain(node, kind)]  # fmt: skip
        return Part(balanced(terms, "AND" if kind is exp.And else "OR"), "boolean")
    if kind in _READERS and not _unread(node, _READERS[kind][1]):
        return _READERS[kind][0](node, place, reading)
    name = node.name if kind is exp.Anonymous else node.sql_names()[0] if _function(node) else ""
    return reading.refuse(
        f"{(name or node.key).upper()} is not allowed (allowed are {ALLOWED}), found", place
    )


def _all(nodes: list[exp.Expression], place: Place, reading: Reading) -> list[Part]:
    return [read(node, place, reading) for node in nodes]


def _function(node: exp.Expression) -> bool:
    return isinstance(node, exp.Func) and not isinstance(node, exp.Case | exp.Cast)


def _unread(node: exp.Expression, read: set[str]) -> list[str]:
    return [name for name, value in node.args.items() if value and name not in read | _HARMLESS]


def _position(node: exp.Expression, otherwise: int) -> int:
    """Where a node begins: its own token, or the first of the tokens below it."""
    if "start" in node.meta:
        return node.meta["start"] + 1
    starts = [below.meta["start"] for below in node.walk() if "start" in below.meta]
    return min(starts) + 1 if starts else otherwise


def _chain(node: exp.Expression, kind: type[exp.Expression]) -> list[exp.Expression]:
    """The terms of a AND b AND c, from left to right, however many."""
    terms = []
    while type(node) is kind:
        terms.append(node.expression)
        node = node.this
    return [node, *reversed(terms)]


def _column(node: exp.Column, place: Place, reading: Reading) -> Part:
    name = node.name
    known = reading.columns
    if name not in known:
        same = [column for column in known if column.lower() == name.lower()]
        if len(same) != 1:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            problem = f"unknown column '{name}' at position {place.position}: {hint}"
            reading.problems.append(problem)
            return UNKNOWN
        name = same[0]
    sql, kind = sql_name(name), known[name]
    if kind.split("(")[0] in _NUMBERS:
        return Part(sql if kind == "double" else f"CAST({sql} AS DOUBLE)", "number")
    if kind not in KINDS:
        return reading.refuse(f"column '{name}', which is {kind} and no rule can read,", place)
    return Part(sql, KINDS[kind])


def _literal(node: exp.Literal, place: Place, reading: Reading) -> Part:
    if node.is_string:
        return Part(sql_text(node.name), "text")
    try:
        number = float(node.name)
    except ValueError:
        return reading.refuse(f"'{node.name}', which is no number,", place)
    if not math.isfinite(number):
        return reading.refuse("a number larger than any double", place)
    return Part(f"{number!r}D", "number")


def _dated(node: exp.Cast, place: Place, reading: Reading) -> Part:
    """DATE '2026-01-31', TIMESTAMP '2026-01-31 08:00:00' (UTC unless it names an offset)."""
    kind = {"DATE": "date", "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamp"}.get(
        node.to.this.name if isinstance(node.to, exp.DataType) else ""
    )
    if kind is None or not (isinstance(node.this, exp.Literal) and node.this.is_string):
        return reading.refuse(f"CAST is not allowed (allowed are {ALLOWED}), found", place)
    text = node.this.name
    try:
        if kind == "date":
            return Part(f"DATE '{dt.date.fromisoformat(text).isoformat()}'", kind)
        moment = dt.datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return reading.refuse(f"'{text}' is no {kind}; write 2026-01-31 [08:00:00], found", place)
    return Part(f"TIMESTAMP '{moment.isoformat(sep=' ')}'", kind)


def _negated(node: exp.Not, place: Place, reading: Reading) -> Part:
    part = wanted(read(node.this, place, reading), "boolean", place, reading)
    return Part(f"(NOT {part.sql})", "boolean")


def _negative(node: exp.Neg, place: Place, reading: Reading) -> Part:
    part = wanted(read(node.this, place, reading), "number", place, reading)
    return Part(f"(- {part.sql})", "number", part.computed)


def _arithmetic(node: exp.Binary, place: Place, reading: Reading) -> Part:
    left, right = (
        wanted(read(side, place, reading), "number", place, reading).sql
        for side in (node.this, node.expression)
    )
    operator = _ARITHMETIC[type(node)]
    divisor = node.expression.unnest()
    if operator in "/%" and isinstance(divisor, exp.Literal) and right.endswith("D"):
        if float(divisor.name) == 0:
            return reading.refuse("a division by 0", place)
    elif operator in "/%":
        reading.faults.append(f"({right} = 0D)")
        # NULLIF would let -0 through on the embedded engine, which then raises.
        right = f"(CASE WHEN {right} = 0D THEN CAST(NULL AS DOUBLE) ELSE {right} END)"
    return Part(f"({left} {operator} {right})", "number", computed=True)


def _comparison(node: exp.Binary, place: Place, reading: Reading) -> Part:
    (left, right), kind = alike(_all([node.this, node.expression], place, reading), place, reading)
    if kind == "boolean" and not isinstance(node, exp.EQ | exp.NEQ):
        return reading.refuse("true and false have no order; a comparison", place)
    return Part(f"({left} {_COMPARISONS[type(node)]} {right})", "boolean")


def _between(node: exp.Between, place: Place, reading: Reading) -> Part:
    nodes = [node.this, node.args["low"], node.args["high"]]
    (value, low, high), _ = alike(_all(nodes, place, reading), place, reading)
    return Part(f"({value} BETWEEN {low} AND {high})", "boolean")


def _among(node: exp.In, place: Place, reading: Reading) -> Part:
    if not node.expressions:
        return reading.refuse("IN of nothing", place)
    for each in node.expressions:
        bare = each.this if isinstance(each, exp.Neg) else each
        if not isinstance(bare, exp.Literal | exp.Boolean | exp.Cast):
            place = replace(place, position=_position(each, place.position))
            return reading.refuse("IN takes a list of literals without NULL, found other", place)
    (value, *listed), _ = alike(
        _all([node.this, *node.expressions], place, reading), place, reading
    )
    zeros = ["0.0D", "(- 0.0D)"]
    if set(zeros) & set(listed):  # to the embedded engine they are two numbers here
        listed = [*listed, *zeros]
    return Part(f"({value} IN ({', '.join(listed)}))", "boolean")


def _like(node: exp.Like, place: Place, reading: Reading) -> Part:
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string) or "\\" in pattern.name:
        return reading.refuse("LIKE takes a text of which no character is \\, found other", place)
    value = wanted(read(node.this, place, reading), "text", place, reading)
    like = "NOT LIKE" if node.args.get("negate") else "LIKE"
    return Part(f"({value.sql} {like} {sql_text(pattern.name)})", "boolean")


def _is_null(node: exp.Is, place: Place, reading: Reading) -> Part:
    if not isinstance(node.expression, exp.Null):
        return reading.refuse("IS is followed by NULL or NOT NULL only, found other", place)
    part = settled(read(node.this, place, reading), reading)
    return Part(f"({part.sql} IS NULL)", "boolean")


def _case(node: exp.Case | exp.If, place: Place, reading: Reading) -> Part:
    place = replace(place, cases=place.cases + 1)
    if place.cases > MOST_CASES:
        return reading.refuse(f"more than {MOST_CASES} CASE or IF within each other", place)
    branches = node.args["ifs"] if isinstance(node, exp.Case) else [node]
    last = node.args.get("default" if isinstance(node, exp.Case) else "false")
    conditions = []
    for branch in branches:
        before = len(reading.faults)
        condition = wanted(read(branch.this, place, reading), "boolean", place, reading).sql
        conditions.append((condition, reading.faults[before:]))
    results = [branch.args["true"] for branch in branches] + ([last] if last else [])
    values, kind = alike(_all(results, place, reading), place, reading, nulls=True)
    nothing = f"CAST(NULL AS {TYPES.get(kind, 'STRING')})"
    whens = []
    for (condition, faults), value in zip(conditions, values, strict=False):
        if faults:  # else a condition that can't be computed would count as one that is false
            whens.append(f"WHEN {condition} IS NULL AND {any_of(faults)} THEN {nothing}")
        whens.append(f"WHEN {condition} THEN {value}")
    return Part(f"(CASE {' '.join(whens)} ELSE {values[-1] if last else nothing} END)", kind)


def _call(node: exp.Func, place: Place, reading: Reading) -> Part:
    name, needed, result = _FUNCTIONS[type(node)]
    arguments = _all([node.this, *node.expressions], place, reading)
    values, kind = alike(arguments, place, reading, nulls=name == "coalesce")
    if len(values) < 2 and needed is None:
        return reading.refuse(f"{name.upper()} takes at least two values, found one", place)
    if needed is not None and kind not in (needed, "unknown"):
        return reading.refuse(f"{name.upper()} of {a(kind)}, not {a(needed)},", place)
    if kind == "boolean" and name in ("least", "greatest"):
        return reading.refuse(f"true and false have no order; {name.upper()}", place)
    sql = f"{name}({', '.join(values)})"
    return Part(f"CAST({sql} AS DOUBLE)" if name == "char_length" else sql, result or kind)


def _days_since(node: exp.Anonymous, place: Place, reading: Reading) -> Part:
    if node.name.upper() != "DAYS_SINCE" or len(node.expressions) != 1:
        name = f"{node.name.upper()} of {len(node.expressions)} values"
        return reading.refuse(f"{name} is not allowed (allowed are {ALLOWED}), found", place)
    part = read(node.expressions[0], place, reading)
    if part.kind == "date":
        age = f"datediff(DATE '{reading.day.isoformat()}', {part.sql})"
    elif part.kind == "timestamp":  # UTC days, whatever the session's time zone
        today = (reading.day - dt.date(1970, 1, 1)).days
        age = f"({today} - floor(unix_seconds({part.sql}) / 86400))"
    elif part.kind == "unknown":
        return part
    else:
        return reading.refuse(f"DAYS_SINCE of {a(part.kind)}, not a date or timestamp,", place)
    return Part(f"CAST({age} AS DOUBLE)", "number")


_READERS = {
    exp.Column: (_column, {"this"}),
    exp.Literal: (_literal, {"this"}),
    exp.Boolean: (lambda node, *_: Part(str(bool(node.this)).lower(), "boolean"), {"this"}),
    exp.Null: (lambda *_: Part("NULL", "null"), set()),
    **dict.fromkeys((exp.Cast, exp.TryCast), (_dated, {"this", "to"})),
    exp.Not: (_negated, {"this"}),
    exp.Neg: (_negative, {"this"}),
    **dict.fromkeys(_ARITHMETIC, (_arithmetic, {"this", "expression"})),
    **dict.fromkeys(_COMPARISONS, (_comparison, {"this", "expression"})),
    exp.Between: (_between, {"this", "low", "high"}),
    exp.In: (_among, {"this", "expressions"}),
    exp.Like: (_like, {"this", "expression", "negate"}),
    exp.Is: (_is_null, {"this", "expression"}),
    exp.Case: (_case, {"ifs", "default"}),
    exp.If: (_case, {"this", "true", "false"}),
    **dict.fromkeys(_FUNCTIONS, (_call, {"this", "expressions"})),
    exp.Anonymous: (_days_since, {"this", "expressions"}),
}
