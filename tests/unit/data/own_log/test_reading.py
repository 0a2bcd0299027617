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
