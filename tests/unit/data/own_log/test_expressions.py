from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextbest.data.own_log.expressions import evaluate, parse_expression
from nextbest.errors import DataError

KINDS = {"x": "double", "y": "double", "city": "string"}


def value(text, wanted="number", **columns):
    arrays = {name: pa.array([each], pa.string() if isinstance(each, str) else pa.float64())
              for name, each in columns.items()}  # fmt: skip
    return evaluate(parse_expression(text, KINDS, wanted), arrays, 1).to_pylist()[0]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y * 2", 7.0), ("- x", -1.0), ("(x - y) / 2", -1.0), ("x / (y - 3)", None),
        ("IF(x > 0 AND NOT y > 5, 1, 0)", 1.0), ("IF(city IN ('a', 'b'), 1, 0)", 1.0),
        ("CASE WHEN city = 'b' THEN 2 WHEN x BETWEEN 1 AND 2 THEN 3 END", 3.0),
        ("IF(city LIKE 'a%', LENGTH(city), 0)", 1.0), ("COALESCE(x, 9)", 1.0),
        ("LEAST(x, y)", 1.0), ("GREATEST(x, y)", 3.0), ("ABS(x - y)", 2.0), ("7 % 4", 3.0),
        ("IF(city IS NOT NULL, 1, 0)", 1.0), ("IF(X = 1, 1, 0)", 1.0), ("3", 3.0),
    ],
)  # fmt: skip
def test_values(text, expected):
    assert value(text, x=1.0, y=3.0, city="a") == expected


@pytest.mark.unit
def test_what_is_null_stays_null_and_a_null_condition_is_false():
    assert value("x + 1", x=None) is None
    assert value("IF(x > 0, 1, 0)", x=None) == 0.0
    assert value("UPPER(city)", "text", city="a") == "A"


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x > 1", "it is true or false, not a number"),
        ("city", "it is text, not a number"),
        ("x +", "can't be read"),
        ("__import__('os')", "is not allowed"),
        ("CAST(city AS DOUBLE)", "CAST is not allowed"),
        ("IF(city > 1, 1, 0)", "text and a number together"),
        ("z + 1", "unknown column 'z'"),
        ("(SELECT 1)", "not allowed"),
        ("IF(DATE '2026-01-01' = DATE '2026-01-01', 1, 0)", "dates have no place"),
    ],
)
def test_what_is_wrong_is_told(text, told):
    with pytest.raises(DataError, match="expression") as caught:
        parse_expression(text, KINDS, "number")
    assert told in str(caught.value)


@pytest.mark.integration
@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(*[st.none() | st.sampled_from([-1.0, 0.0, 0.5, 2.0])] * 2), min_size=1))
def test_the_same_as_the_engine_says(spark, pairs):
    texts = ["x * y - 1", "IF(x > y OR y IS NULL, x, 7)", "CASE WHEN NOT x >= 1 THEN y ELSE 0 END",
             "COALESCE(x, y, 3)", "IF(x IN (0, 2), 1, 0)"]  # fmt: skip
    columns = {name: pa.array([pair[at] for pair in pairs], pa.float64())
               for at, name in enumerate("xy")}  # fmt: skip
    frame = spark.createDataFrame(pa.table(columns))
    theirs = frame.selectExpr(*[f"CAST({t} AS DOUBLE) AS v{k}" for k, t in enumerate(texts)])
    theirs = theirs.toArrow().to_pydict()
    for k, text in enumerate(texts):
        ours = evaluate(parse_expression(text, KINDS, "number"), columns, len(pairs))
        assert ours.to_pylist() == theirs[f"v{k}"], text
