"""The feature spec: what it says of a training set, in which order, and its file."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.platforms import FeatureFunction, Lookup, TrainingSpec
from nextbest.platforms.local import feature_spec, feature_spec_file
from nextbest.platforms.local.feature_spec import Column, FeatureSpec, Table

pytestmark = pytest.mark.unit

TABLE = "dev.nba.features"
LOOKUPS = [
    Lookup(
        TABLE, ("id",), "at", ("spend", "visits"), dt.timedelta(days=1), {"spend": "spent"},
        {"spent": 0.5, "visits": 7},
    )
]  # fmt: skip
RATIO = FeatureFunction("dev.nba.ratio", {"a": "spent", "b": "visits"}, "ratio")
TYPES = {
    "id": "string", "at": "timestamp", "age": "int", "y": "double", "spent": "double",
    "visits": "bigint", "ratio": "double",
}  # fmt: skip


def built(lookups=LOOKUPS, functions=(RATIO,), **more):
    asked = TrainingSpec(rows("id", "at", "age", "y"), lookups, functions, **more)
    return feature_spec.build(TYPES, asked, {TABLE: "t1"})


def rows(*columns):
    """Of a spine only its columns count here."""
    return SimpleNamespace(columns=list(columns))


def test_sources_then_lookups_then_functions_and_what_is_excluded_stays_where_it_is_needed():
    spec = built(labels=["y"], exclude=["id", "at", "spent"])
    told = [(c.name, c.data_type, c.include, c.order) for c in spec.columns]
    assert told == [
        ("id", "string", False, 1),  # a key; `at` is neither key nor input, so the client drops it
        ("age", "int", True, 0),
        ("spent", "double", False, 2),  # an input of the function
        ("visits", "bigint", True, 3),
        ("ratio", "double", True, 4),
    ]
    assert spec.inputs == ("age", "visits", "ratio")
    assert spec.tables == (Table(TABLE, "t1", dt.timedelta(days=1)),)


def test_the_questions_are_the_lookups_again_with_defaults_as_text():
    lookups, functions = feature_spec.questions(built(labels=["y"]))
    (lookup,) = lookups
    assert (lookup.table, lookup.keys, lookup.timestamp) == (TABLE, ("id",), "at")
    assert lookup.features == ("spend", "visits")
    assert lookup.lookback == dt.timedelta(days=1)
    assert dict(lookup.renames) == {"spend": "spent"}
    assert dict(lookup.defaults) == {"spent": "0.5", "visits": "7"}
    assert functions == [RATIO]


def test_one_feature_under_two_names_is_looked_up_twice():
    twice = [Lookup(TABLE, ("id",), "at", ("spend",)), Lookup(
        TABLE, ("other",), "at", ("spend",), renames={"spend": "theirs"})]  # fmt: skip
    types = {"id": "string", "other": "string", "at": "timestamp", "spend": "int", "theirs": "int"}
    spec = feature_spec.build(types, TrainingSpec(rows("id", "other", "at"), twice), {TABLE: "t"})
    assert [lookup.keys for lookup in feature_spec.questions(spec)[0]] == [("id",), ("other",)]


def test_a_lookup_comes_after_the_one_that_gives_its_key():
    types = {"id": "string", "kind": "string", "rank": "int"}
    lookups = [
        Lookup("a.b.kinds", ("kind",), features=("rank",)),
        Lookup(TABLE, ("id",), features=("kind",)),
    ]
    asked = TrainingSpec(rows("id"), lookups)
    spec = feature_spec.build(types, asked, {TABLE: "t", "a.b.kinds": "u"})
    assert [lookup.keys for lookup in feature_spec.questions(spec)[0]] == [("id",), ("kind",)]


def test_a_feature_that_the_spine_has_is_a_source():
    spec = feature_spec.build(
        {"id": "string", "spend": "double"},
        TrainingSpec(rows("id", "spend"), [Lookup(TABLE, ("id",), features=("spend",))]),
        {TABLE: "t"},
    )
    assert [column.source for column in spec.columns] == ["training_data", "training_data"]
    assert spec.tables == ()


def test_what_is_missing_or_goes_round_is_refused():
    with pytest.raises(DataError, match="no column customer"):
        built([Lookup(TABLE, ("customer",), features=("spend",))], ())
    loop = [FeatureFunction("f.f.f", {"a": "visits"}, "spent"),
            FeatureFunction("f.f.f", {"a": "spent"}, "visits")]  # fmt: skip
    with pytest.raises(DataError, match="need each other: spent, visits"):
        built((), loop)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)


@st.composite
def specs(draw):
    """Specs as `build` makes them: any names, several tables, functions over what is there."""
    names = iter(draw(st.lists(NAMES, min_size=12, max_size=12, unique=True)))
    spine = [next(names) for _ in range(draw(st.integers(1, 3)))]
    keys = st.lists(st.sampled_from(spine), min_size=1, max_size=2, unique=True).map(tuple)
    lookups = []
    for table in range(draw(st.integers(0, 2))):
        features = {f"f{i}": next(names) for i in range(draw(st.integers(1, 2)))}
        back = draw(st.none() | st.timedeltas(dt.timedelta(0), dt.timedelta(days=9)))
        defaults = {
            new: draw(st.integers(0, 9)) for new in features.values() if draw(st.booleans())
        }
        at = draw(st.sampled_from(spine)) if back is not None or draw(st.booleans()) else None
        lookups.append(
            Lookup(f"a.b.t{table}", draw(keys), at, tuple(features), back, features, defaults)
        )
    there = [*spine, *(new for lookup in lookups for new in lookup.renames.values())]
    functions = []
    for number in range(draw(st.integers(0, 3))):
        bound = draw(st.lists(st.sampled_from(there), max_size=2))
        inputs = {f"p{i}": name for i, name in enumerate(bound)}
        functions.append(FeatureFunction(f"a.b.g{number % 2}", inputs, next(names)))
        there.append(functions[-1].output)
    exclude = draw(st.lists(st.sampled_from(there), max_size=2))
    types = {name: draw(st.sampled_from(["int", "string", "array<double>"])) for name in there}
    ids = {lookup.table: "id" for lookup in lookups}
    return feature_spec.build(
        types, TrainingSpec(rows(*spine), lookups, functions, exclude=exclude), ids
    )


@given(specs())
def test_the_file_holds_the_whole_spec(spec):
    if not spec.columns:
        return  # everything excluded
    assert feature_spec_file.from_yaml(feature_spec_file.to_yaml(spec), "here") == spec


@given(specs())
def test_each_column_comes_after_what_it_needs(spec):
    places = {column.name: column.order for column in spec.columns}
    assert sorted(places.values()) == list(range(len(places)))
    for column in spec.columns:
        assert all(places[n] < column.order for n in [*column.keys, *column.inputs.values()])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2]", "no feature spec"),
        ("{", "no feature spec"),
        ("serialization_version: 11", "no feature spec"),
        ("input_columns: [{a: {source: elsewhere}}]", "source 'elsewhere'"),
        ("{input_columns: [], serialization_version: 12}", "version 12"),
        ("{input_columns: [], features: [], serialization_version: 11}", "feature views"),
    ],
)
def test_what_is_no_spec_is_refused_with_its_place(text, told):
    with pytest.raises(DataError, match=rf"m/feature_spec.yaml.*{told}"):
        feature_spec_file.from_yaml(text, "m/feature_spec.yaml")


def test_a_spec_of_an_older_client_is_read():
    text = yaml.safe_dump({"input_columns": [{"age": {"source": "training_data"}}]})
    assert feature_spec_file.from_yaml(text, "here") == FeatureSpec(
        (Column("age", "training_data"),), ()
    )
