"""A rule means on the engine what it means in Python, whatever it is made of."""

import datetime as dt
import math

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from nextbest.decisions.rules import parse_rule

DAY = dt.date(2026, 1, 31)
ROWS = pd.DataFrame(
    {
        "x": [0.0, 1.0, -2.5, 3.0, None, 7.5, -0.0, 2.0],
        "n": pd.array([0, 1, 2, None, -3, 0, 5, 2], dtype="Int64"),
        "flag": pd.array([True, False, None, True, False, None, True, False], dtype="boolean"),
        "s": ["", "ab", "AB", None, "it's", "a\\b", "Öl", "a%"],
        "d": [DAY, dt.date(2025, 1, 1), None, dt.date(1969, 7, 20), DAY, DAY, DAY, DAY],
    }
)
ROWS["t"] = pd.to_datetime(
    ["2026-01-30 23:59:59", "2026-01-31", None, "2024-02-29 12:00", *["2026-01-31 07:00"] * 4],
    utc=True,
    format="ISO8601",
)
ROW_KINDS = {"x": "double", "n": "bigint", "flag": "boolean", "s": "string", "d": "date",
             "t": "timestamp"}  # fmt: skip
RECORDS = [
    {name: None if pd.isna(value) else value for name, value in row.items()}
    for row in ROWS.astype(object).to_dict("records")
]

# A rule here is (its text, what it means: row and list of faults → value or None).


def known(function):
    """Null when an argument is."""

    def apply(*values):
        return None if any(value is None for value in values) else function(*values)

    return apply


def node(text, function, *parts):
    """All arguments are computed, as the fault of each counts."""
    return (
        text.format(*[part[0] for part in parts]),
        lambda row, faults: function(*[part[1](row, faults) for part in parts]),
    )


def divided(symbol, one, other):
    def value(row, faults):
        a, b = one[1](row, faults), other[1](row, faults)
        if b == 0:
            faults.append(symbol)
        if a is None or b is None or b == 0:
            return None
        return a / b if symbol == "/" else math.fmod(a, b)

    return f"({one[0]} {symbol} {other[0]})", value


def both(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def negated(a):
    return None if a is None else not a


def case(condition, one, other, text):
    def value(row, faults):
        mine = []
        holds = condition[1](row, mine)
        values = [part[1](row, faults) for part in (one, other)]
        faults.extend(mine)
        return None if holds is None and mine else values[0] if holds else values[1]

    return text.format(condition[0], one[0], other[0]), value


def column(name):
    return name, lambda row, _: (
        float(row[name]) if name == "n" and row[name] is not None else row[name]
    )


def days(name):
    def since(value):
        return float((DAY - (value.date() if name == "t" else value)).days)

    return node(f"days_since({name})", lambda: None)[0], lambda row, _: known(since)(row[name])


def literal(value):
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'", lambda *_: value
    return repr(value).lower(), lambda *_: value


def extreme(best):
    return lambda *values: best([v for v in values if v is not None], default=None)


def first(*values):
    return next((value for value in values if value is not None), None)


texts = st.one_of(
    st.sampled_from(["s"]).map(column),
    st.sampled_from([*ROWS["s"].dropna(), "zz", "é"]).map(literal),
)
texts = texts | texts.map(lambda part: node("lower({})", known(str.lower), part))


def short(strategy):
    """The same, not told at length: hypothesis would write 300 kB."""
    return st.deferred(lambda: strategy)


def grown(numbers):
    numbers = short(numbers)
    booleans = st.deferred(lambda: rules(numbers))
    two = st.tuples(numbers, numbers)
    made = [
        two.map(lambda p: node("({} + {})", known(float.__add__), *p)),
        two.map(lambda p: node("({} - {})", known(float.__sub__), *p)),
        two.map(lambda p: node("({} * {})", known(float.__mul__), *p)),
        st.tuples(st.sampled_from("/%"), numbers, numbers)
        .filter(lambda p: p[2][0] != "0.0")  # refused when it is read
        .map(lambda p: divided(*p)),
        numbers.map(lambda p: node("(- {})", known(float.__neg__), p)),
        numbers.map(lambda p: node("abs({})", known(abs), p)),
        two.map(lambda p: node("least({}, {})", extreme(min), *p)),
        two.map(lambda p: node("greatest({}, {})", extreme(max), *p)),
        two.map(lambda p: node("coalesce({}, {})", first, *p)),
        texts.map(lambda p: node("length({})", known(lambda text: float(len(text))), p)),
        st.tuples(booleans, numbers, numbers).map(lambda p: case(*p, "if({}, {}, {})")),
    ]
    return st.one_of(made)


def rules(numbers):
    numbers = short(numbers)
    two = st.tuples(numbers, numbers)
    signs = {"=": "__eq__", "<>": "__ne__", "<": "__lt__", ">=": "__ge__"}
    compare = st.sampled_from(list(signs.items()))
    simple = st.one_of(
        st.just(column("flag")),
        st.tuples(compare, two).map(
            lambda p: node(f"({{}} {p[0][0]} {{}})", known(getattr(float, p[0][1])), *p[1])
        ),
        st.tuples(compare, texts, texts).map(
            lambda p: node(f"({{}} {p[0][0]} {{}})", known(getattr(str, p[0][1])), p[1], p[2])
        ),
        numbers.map(lambda p: node("({} IN (0, 2, -2.5))", known((0, 2, -2.5).__contains__), p)),
        numbers.map(lambda p: node("({} BETWEEN -1 AND 2)", known(lambda v: -1 <= v <= 2), p)),
        numbers.map(lambda p: node("({} IS NULL)", lambda v: v is None, p)),
        texts.map(lambda p: node("({} LIKE 'a%')", known(lambda v: v.startswith("a")), p)),
    )
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            inner.map(lambda p: node("(NOT {})", negated, p)),
            st.tuples(inner, inner).map(lambda p: node("({} AND {})", both, *p)),
            st.tuples(inner, inner).map(
                lambda p: node("({} OR {})", lambda a, b: negated(both(negated(a), negated(b))), *p)
            ),
            st.tuples(inner, inner, inner).map(
                lambda p: case(*p, "CASE WHEN {} THEN {} ELSE {} END")
            ),
        ),
        max_leaves=3,
    )


leaves = st.one_of(
    st.sampled_from(["x", "n"]).map(column),
    st.sampled_from(["d", "t"]).map(days),
    st.sampled_from([0.0, 1.0, 2.5, 100.0]).map(literal),
)
NUMBERS = st.recursive(leaves, grown, max_leaves=4)
RULES = st.deferred(lambda: rules(NUMBERS))


def found_by(frame, parsed):
    """Per rule and row: its value, and whether it can't be computed."""
    columns = []
    for k, rule in enumerate(parsed):
        fault = f"({rule.sql}) IS NULL AND {rule.fault}" if rule.fault else "false"
        columns += [F.expr(rule.sql).alias(f"v{k}"), F.expr(fault).alias(f"f{k}")]
    return frame.select("row", *columns)


def rows_of(spark):
    table = ROWS.assign(row=range(len(ROWS)))
    schema = "x double, n bigint, flag boolean, s string, d date, t timestamp, row int"
    rows = [tuple(None if pd.isna(v) else v for v in row) for row in table.itertuples(index=False)]
    return spark.createDataFrame(rows, schema)


@pytest.mark.integration
@settings(max_examples=12, deadline=None, phases=(Phase.generate,))
@given(made=st.lists(RULES, min_size=15, max_size=25))
def test_the_engine_and_python_agree(spark, made):
    parsed = [parse_rule(text, ROW_KINDS, DAY) for text, _ in made]
    for row in found_by(rows_of(spark), parsed).collect():
        for k, (text, meaning) in enumerate(made):
            faults = []
            value = meaning(RECORDS[row["row"]], faults)
            expected = (value, value is None and bool(faults))
            assert (row[f"v{k}"], row[f"f{k}"]) == expected, (text, RECORDS[row["row"]])
