from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.data.own_log import times as times_module
from nextbest.data.own_log.files import Dialect
from nextbest.data.own_log.times import Formats, formats_of
from nextbest.data.own_log.values import lists, moments, numbers, texts

pytestmark = pytest.mark.unit

PLAIN = Dialect()
COMMA = replace(PLAIN, decimal=",")


def read(texts_, dialect=PLAIN):
    values, strange = numbers(pa.array(texts_, pa.string()), dialect)
    return values.to_pylist(), strange.tolist()


def test_numbers_are_read_as_the_log_writes_them():
    assert read(["1.5", " 2 ", "1,234.5", "€ 3", "4 USD", "true", "no"]) == (
        [1.5, 2.0, 1234.5, 3.0, 4.0, 1.0, 0.0], [False] * 7,
    )  # fmt: skip
    assert read(["1,5", "1.234,5", "1.234", "12"], COMMA) == (
        [1.5, 1234.5, 1234.0, 12.0],
        [False] * 4,
    )


def test_what_is_no_number_is_told_and_what_is_empty_is_not():
    assert read(["abc", "", None, "NA", "1,2,3"]) == ([None] * 5, [True, False, False, False, True])
    assert read(["1.5"], COMMA) == ([None], [True])  # no mark of a log with decimal commas
    assert read([]) == ([], [])
    assert read([None, None]) == ([None, None], [False, False])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)), st.sampled_from([PLAIN, COMMA]))
def test_every_number_survives_being_written(values, dialect):
    written = [repr(value).replace(".", dialect.decimal) for value in values]
    assert read(written, dialect) == (values, [False] * len(values))


def times(texts_, formats, zone="UTC"):
    values, strange = moments(pa.array(texts_), formats, replace(PLAIN, time_zone=zone))
    return values.to_pylist(), strange.tolist()


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def test_mixed_times_are_read_in_the_logs_zone_unless_they_tell_their_own():
    found, strange = times(
        ["01/07/2026 10:00", "2026-07-01T10:00:00Z", "2026-07-01 10:00",
         "2026-07-01T10:00:00+05:00", "31/02/2026 10:00", None],
        ["%d/%m/%Y %H:%M", "iso"], "Europe/Madrid",
    )  # fmt: skip
    assert found == [utc(2026, 7, 1, 8), utc(2026, 7, 1, 10), utc(2026, 7, 1, 8),
                     utc(2026, 7, 1, 5), None, None]  # fmt: skip
    assert strange == [False] * 4 + [True, False]


def test_an_hour_shown_twice_is_the_first_and_one_leapt_over_moves_on():
    found, strange = times(["2026-10-25 02:30", "2026-03-29 02:30"], ["iso"], "Europe/Madrid")
    assert found == [utc(2026, 10, 25, 0, 30), utc(2026, 3, 29, 1)]
    assert strange == [False, False]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1767225600", "epoch_s"), ("1767225600000", "epoch_ms"), ("1767225600000000", "epoch_us"),
        ("1767225600000000000", "epoch_ns"),
    ],
)  # fmt: skip
def test_epochs(text, name):
    assert times([text], [name]) == ([utc(2026, 1, 1)], [False])
    assert formats_of([text], PLAIN).names == (name,)


def test_seconds_since_a_day():
    assert times(["86400", "x"], ["seconds_since 2026-01-01"]) == (
        [utc(2026, 1, 2), None],
        [False, True],
    )


@pytest.mark.parametrize(
    ("written", "formats"),
    [
        (["2026-01-31 10:00:00", "2026-02-01"], ("iso",)),
        (["31.01.2026", "01.02.2026"], ("%d.%m.%Y",)),
        (["1/31/2026 1:00 PM", "2/1/2026 12:00 AM"], ("%m/%d/%Y %I:%M %p",)),
        (["20260131", "20260201"], ("%Y%m%d",)),
        (["31 Jan 2026", "01 Feb 2026"], ("%d %b %Y",)),
        (["Sat Jan 31 10:00:00 2026"], ("%a %b %d %H:%M:%S %Y",)),
    ],
)
def test_formats_are_found(written, formats):
    assert formats_of(written, PLAIN) == Formats(formats, 1.0)


def test_two_formats_are_found_and_a_stray_text_leaves_a_share():
    found = formats_of(["31.01.2026", "2026-01-31", "30.01.2026", "soon 1"], PLAIN)
    assert found == Formats(("%d.%m.%Y", "iso"), 0.75)
    assert formats_of(["a", "b"], PLAIN) == Formats()


def test_epochs_of_several_units_are_told_apart_by_their_size():
    found = formats_of(["1767225600", "1767225600000", "1767225601.5"], PLAIN)
    assert found.names == ("epoch_s", "epoch_ms")
    assert "several units: epoch_s, epoch_ms" in found.doubts[0]
    assert times(["1767225600", "1767225600000"], found.names)[0] == [utc(2026, 1, 1)] * 2
    assert formats_of(["1767225600", "17"], PLAIN) == Formats()


def test_day_and_month_that_can_not_be_told_apart_are_told():
    found = formats_of(["01/02/2026", "03/04/2026"], PLAIN)
    assert found.names == ("%d/%m/%Y",)
    assert "both as %d/%m/%Y and as %m/%d/%Y" in found.doubts[0]
    found = formats_of(["25/12/2026", "12/25/2026", "03/04/2026"], PLAIN)
    assert set(found.names) == {"%d/%m/%Y", "%m/%d/%Y"}
    assert "and 1 different ones both ways" in found.torn


@given(st.lists(st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)), min_size=1))
def test_one_order_that_reads_every_date_is_enough(days):
    found = formats_of([f"{day:%m/%d/%Y}" for day in days], PLAIN)
    assert found.torn is None
    assert found.share == 1.0
    if any(day.day > 12 for day in days):
        assert found.names == ("%m/%d/%Y",)


def test_lists_of_every_kind():
    column = pa.array(["[1, 2]", "['a b', \"c\"]", None, "(x)"])
    assert lists(column, None, PLAIN) == [("1", "2"), ("a b", "c"), None, ("x",)]
    assert lists(pa.array(["a| b", ""]), "|", PLAIN) == [("a", "b"), None]
    assert lists(pa.array([[1, 2], None]), None, PLAIN) == [("1", "2"), None]


def test_text_of_other_types():
    assert texts(pa.array([1.0, None, 2.5, 2.0**60]), PLAIN).to_pylist()[:3] == ["1", None, "2.5"]
    assert texts(pa.array([" a ", "NULL"]), PLAIN).to_pylist() == ["a", None]
    assert texts(pa.array(["x"]).dictionary_encode(), PLAIN).to_pylist() == ["x"]


@pytest.mark.parametrize(
    ("winter", "summer"),
    [
        ("2026-01-05 10:00:00+01", "2026-07-05 11:00:00+02"),
        ("2026-01-05 10:00:00.5+01", "2026-07-05 09:00:00"),
        ("2026-01-05T10:00+0100", "2026-07-05T11:00:00+02:00"),
        ("2026-01-05 09:00:00 UTC", "2026-07-05 09:00:00.25 UTC"),
        ("2026-01-05 01:00:00.000 -0800", "2026-07-05 09:00:00Z"),
        ("05/Jan/2026:10:00:00 +0100", "05/Jul/2026:11:00:00 +0200"),
        ("1767603600000000000", "1783242000000000000"),
    ],
)
def test_offsets_may_change_within_a_column(winter, summer):
    formats = formats_of([winter, summer], PLAIN)
    assert formats.share == 1.0
    found, strange = times([winter, summer], formats.names)
    assert [each.replace(microsecond=0) for each in found] == [
        utc(2026, 1, 5, 9),
        utc(2026, 7, 5, 9),
    ]
    assert strange == [False, False]


def test_no_times_are_sought_in_decimals(monkeypatch):
    monkeypatch.setattr(times_module, "_reads", None)  # what tries a pattern
    assert formats_of(["0.25", "-1.5", "3", "1e-05"], PLAIN) == Formats()
