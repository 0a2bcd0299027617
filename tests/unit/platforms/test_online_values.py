"""Every value comes back from sqlite as it went in."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import sqlite3

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.platforms.local import online_values

pytestmark = pytest.mark.unit

UTC = dt.UTC
MOMENTS = st.datetimes(dt.datetime(1800, 1, 1), dt.datetime(2200, 1, 1))
LONGS = st.integers(-(2**63), 2**63 - 1)
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
KINDS = {
    "string": (pa.string(), WORDS),
    "bigint": (pa.int64(), LONGS),
    "double": (pa.float64(), st.floats()),
    "float": (pa.float32(), st.floats(width=32)),
    "boolean": (pa.bool_(), st.booleans()),
    "binary": (pa.binary(), st.binary()),
    "date": (pa.date32(), st.dates()),
    "timestamp": (pa.timestamp("us", "UTC"), MOMENTS.map(lambda at: at.replace(tzinfo=UTC))),
    "decimal(12,3)": (
        pa.decimal128(12, 3),
        st.decimals(-999_999_999, 999_999_999, places=3, allow_nan=False),
    ),
    "array<double>": (pa.list_(pa.float64()), st.lists(st.none() | st.floats())),
    "array<string>": (pa.list_(pa.string()), st.lists(st.none() | WORDS)),
}


def same(one, other):
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    return type(one) is type(other) and one == other


@given(st.data())
def test_what_goes_in_comes_out(data):
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    arrow, values = KINDS[kind]
    wanted = data.draw(st.lists(st.none() | values, max_size=5))
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE kept (c0)")
    encoded = online_values.encode_column(pa.array(wanted, arrow), kind)
    database.executemany("INSERT INTO kept VALUES (?)", [[value] for value in encoded])
    decode = online_values.decoder(kind) or (lambda value: value)
    rows = database.execute("SELECT c0 FROM kept ORDER BY rowid").fetchall()
    found = [None if value is None else decode(value) for (value,) in rows]
    assert online_values.supported(kind)
    assert all(map(same, wanted, found)), (kind, wanted, found)
    database.close()


@given(st.data())
def test_a_key_is_encoded_as_its_column(data):
    kind = data.draw(st.sampled_from([k for k in sorted(KINDS) if not k.startswith("array")]))
    arrow, values = KINDS[kind]
    value = data.draw(values)
    (column,) = online_values.encode_column(pa.array([value], arrow), kind)
    assert same(column, online_values.encode_key(value, kind, "t.k"))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1", "bigint"),
        (True, "int"),
        (1, "boolean"),
        (1, "string"),
        (dt.datetime(2026, 1, 1), "date"),
        (dt.datetime(2026, 1, 1), "timestamp"),
        (1.5, "decimal(4,1)"),
    ],
)
def test_a_key_of_another_type_is_refused_by_name(value, kind):
    with pytest.raises(DataError, match="t.k"):
        online_values.encode_key(value, kind, "t.k")


@pytest.mark.parametrize(
    "kind",
    [
        "map<string,int>",
        "struct<a:int>",
        "array<array<int>>",
        "array<decimal(3,1)>",
        "void",
        "tinyint",
        "timestamp_ntz",
    ],
)
def test_what_can_not_be_kept_is_known(kind):
    assert not online_values.supported(kind)


@pytest.mark.parametrize(
    ("value", "kind", "key"),
    [
        ("1.5", "decimal(12,3)", "1.500"),
        ("-0", "decimal(12,3)", "0.000"),
        ("1" * 35 + ".5", "decimal(38,3)", "1" * 35 + ".500"),
        ("1.0004", "decimal(12,3)", None),
        ("1E+40", "decimal(12,3)", None),
        ("Infinity", "decimal(12,3)", None),
        ("NaN", "decimal(12,3)", None),
        (2**63 - 1, "bigint", 2**63 - 1),
        (-(2**63), "bigint", -(2**63)),
        (2**70, "bigint", None),
        (-(2**70), "int", None),
    ],
)
def test_a_number_is_the_key_of_its_row_or_of_none(value, kind, key):
    value = decimal.Decimal(value) if isinstance(value, str) else value
    assert online_values.encode_key(value, kind, "t.k") == key
