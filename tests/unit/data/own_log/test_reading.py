from __future__ import annotations

import json

import pytest

from nextbest.data.own_log.files import read
from nextbest.data.own_log.mapping import Eligible, Propensity, Value
from nextbest.data.own_log.reading import mapping_from
from nextbest.data.own_log.source import land_rows
from nextbest.data.own_log.trial import try_mapping
from nextbest.errors import DataError

pytestmark = pytest.mark.unit

GOOD = """\
log: {format: csv, delimiter: ";", time_zone: Europe/Madrid, numbers: [stars]}
decisions:
  decided_at: {column: when, formats: [iso, "%d/%m/%Y"]}
  action_id: {column: offer, values: {No: none, 1: one}, otherwise: other}
  channel: {constant: email}
  eligible: {column: slate, separator: "|", of: treatments}
  propensity: {empirical: [city]}
outcomes:
  liked: {reward: {expression: "IF(stars >= 4, 1, 0)"}, worth: 2.5, delay_days: 1}
customers:
  age: number
  town: {column: "Home Town", kind: text}
actions: {file: actions.csv}
"""


def test_a_mapping_is_read_whole():
    found = mapping_from(GOOD, "m.yml")
    assert (found.dialect.delimiter, found.dialect.time_zone) == (";", "Europe/Madrid")
    assert found.action_id == Value(
        column="offer", values={"No": "none", "1": "one"}, otherwise="other"
    )
    assert found.eligible == Eligible("column", "slate", "|", "treatments")
    assert found.propensity == Propensity("empirical", by=("city",))
    assert found.outcomes[0].worth == 2.5
    assert found.actions == "actions.csv"
    assert set(found.columns) == {"offer", "stars", "when", "slate", "city", "age", "Home Town"}


def test_every_problem_is_told_with_its_line():
    broken = (
        GOOD.replace("Europe/Madrid", "Mars")
        .replace("[iso,", "[iso8601,")
        .replace("{constant: email}", "{constant: email, column: x}")
        .replace("worth: 2.5", "wort: 2.5")
        .replace("age: number", "as_of: number")
        .replace("kind: text", "kind: words")
        .replace("stars >= 4", "stars >= 'a'")
    )
    with pytest.raises(DataError) as caught:
        mapping_from(broken, "m.yml")
    for told in (
        "m.yml:1: log.time_zone: is 'Mars'", "m.yml:3: decisions.decided_at.formats: 'iso8601'",
        "m.yml:5: decisions.channel: needs exactly one", "m.yml:9: outcomes.liked.wort: is unknown",
        "m.yml:9: outcomes.liked: needs a worth", "a number and text together",
        "m.yml:11: customers.as_of: is no free name", "m.yml:12: customers.town: needs a kind",
    ):  # fmt: skip
        assert told in str(caught.value), told


def test_what_is_missing_is_told_together():
    with pytest.raises(DataError) as caught:
        mapping_from("decisions: {channel: x}\n", "m.yml")
    for name in ("decided_at", "action_id", "eligible", "propensity"):
        assert f"decisions.{name}: is missing" in str(caught.value)
    assert "outcomes: is missing" in str(caught.value)


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "decisions: 3"])
def test_what_is_no_mapping_is_refused(text):
    with pytest.raises(DataError, match="m.yml"):
        mapping_from(text, "m.yml")


def test_a_name_given_twice_is_told():
    twice = GOOD.replace("customers:", "  liked: {reward: a, worth: 1}\ncustomers:")
    with pytest.raises(DataError, match=r"m.yml:10: outcomes.liked: is there twice"):
        mapping_from(twice, "m.yml")


def test_a_column_that_no_json_line_has_is_told_with_its_place(tmp_path):
    text = """\
log: {format: json}
decisions:
  {decided_at: ts, action_id: offer, channel: {constant: web}, eligible: all, propensity: uniform}
outcomes: {click: {reward: {column: clikced, empty: 0}, worth: 1}}
customers: {agee: number, age: number}
"""
    lines = [{"ts": "2026-01-01", "offer": "A", "clicked": 1}, {"ts": "2026-01-02", "age": None}]
    path, mapping = tmp_path / "log.jsonl", mapping_from(text, "m.yml")
    path.write_text("\n".join(map(json.dumps, lines)))
    told = (
        r"m.yml: log lacks columns: outcomes.click.reward wants 'clikced'; customers.agee wants "
        "'agee'; there are offer, ts, age"
    )
    with pytest.raises(DataError, match=told):
        try_mapping(read(path, mapping.dialect, mapping.columns), mapping, "log")
    with pytest.raises(DataError, match=told):
        land_rows(
            read(path, mapping.dialect, mapping.columns), mapping, "log", tmp_path / "l.parquet"
        )
    assert [each.name for each in tmp_path.iterdir()] == ["log.jsonl"]
    path.write_text("\n".join(json.dumps(each | {"clikced": 0, "agee": 3}) for each in lines))
    assert try_mapping(read(path, mapping.dialect, mapping.columns), mapping, "log").rows == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Europe/Madrid", "[a]", "1: log.time_zone: is .*, not one text"),
        ("format: csv", "format: csv, encoding: {a: b}", "1: log.encoding: is .*, not one text"),
        ("format: csv", "format: csv, skip: -1", "1: log.skip: is '-1', not a whole number from 0"),
        ("format: csv", "format: csv, skip: 1.7", "1: log.skip: is '1.7', not a whole number"),
        ('delimiter: ";"', 'delimiter: "\\n"', "1: log: delimiter is one character"),
        ("log: {format: csv", "log: &a {format: *a", "1: log.format: is part of itself"),
        ("{constant: email}", "{constant: [a, b]}", "5: decisions.channel.constant: .* one text"),
        ("1: one}", "1: [one]}", "4: decisions.action_id.values.1: is .*, not one text"),
        ('"%d/%m/%Y"', '"%Q"', "3: decisions.decided_at.formats: is not '%Q', which strptime"),
        ('[iso, "%d/%m/%Y"]', "[]", "3: decisions.decided_at.formats: is empty"),
        ("{column: when,", "{column: [a],", "3: decisions.decided_at.column: is .*, not one text"),
        ('{column: when, formats: [iso, "%d/%m/%Y"]}', "{dealt_from: 2026-01-01, days: 1e12}",
         "3: decisions.decided_at.days: is '1e12', not a whole number from 2 to 3,650"),
        ('{column: when, formats: [iso, "%d/%m/%Y"]}', "{dealt_from: [a]}",
         "3: decisions.decided_at.dealt_from: is .*, not one text"),
        ("column: slate", "column: [slate]", "6: decisions.eligible.column: is .*, not one text"),
        ("{empirical: [city]}", "{constant: 25}", "7: decisions.propensity: is '25', not above 0"),
        ("kind: text", "kind: [text]", "12: customers.town.kind: is .*, not one text"),
        ("actions.csv", "[a]", "13: actions.file: is .*, not one text"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_told_with_its_line(old, new, told):
    assert GOOD.replace(old, new) != GOOD
    with pytest.raises(DataError, match=f"m.yml:{told}"):
        mapping_from(GOOD.replace(old, new), "m.yml")


def test_every_directive_of_a_format_is_allowed():
    for each in ("%d/%b/%Y:%H:%M:%S %z", "%Y%m%d", "%I:%M %p %d.%m.%y", "%a %b %d %H:%M:%S.%f %Y"):
        found = mapping_from(GOOD.replace("%d/%m/%Y", each), "m.yml")
        assert found.decided_at.formats == ("iso", each)
