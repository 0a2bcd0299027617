"""The real client (group `databricks`) judges our feature specs: it writes the same bytes."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from nextbest.platforms import FeatureFunction, Lookup, TrainingSpec
from nextbest.platforms.local import feature_spec, feature_spec_file

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("feature_models")]


def client_order(columns):
    """The client's own places for the columns of a spec that it has read."""
    from databricks.ml_features_common.utils.feature_spec_utils import assign_topological_ordering

    return [c.topological_ordering for c in assign_topological_ordering(list(columns))]


@pytest.mark.parametrize("case", range(30))
def test_the_client_writes_the_same_file_and_the_same_order(client_spec, tmp_path, case):
    spec = generated(case)
    text = feature_spec_file.to_yaml(spec)
    (tmp_path / feature_spec_file.NAME).write_text(text, "utf-8")
    theirs = client_spec.load(str(tmp_path))
    assert client_order(theirs.column_infos) == [column.order for column in spec.columns]
    again = tmp_path / "again"
    again.mkdir()
    theirs.save(str(again))
    assert (again / feature_spec_file.NAME).read_text("utf-8") == text
    assert feature_spec_file.from_yaml(text, "here") == spec


def generated(case):
    """A spec of several tables and functions that lean on each other, by the case's number."""
    import random

    draw = random.Random(case)
    spine = ["id", "place", "at", "größe"]
    lookups, there = [], list(spine)
    for table in range(draw.randint(0, 3)):
        features = {f"f{i}": f"{draw.choice('zmaq')}{table}{i}" for i in range(draw.randint(1, 4))}
        default = {new: draw.choice([0, 1.5, True, "x: y"]) for new in features.values()}
        window = (
            dt.timedelta(seconds=draw.choice([0, 0.25, 86_400])) if draw.random() < 0.5 else None
        )
        keys = tuple(draw.sample(there, draw.randint(1, 2)))
        lookups.append(
            Lookup(f"a.b.t{draw.randint(0, 9)}{table}", keys, "at", tuple(features), window,
                   features, default if draw.random() < 0.5 else {})
        )  # fmt: skip
        there += features.values()
    functions = []
    for number in range(draw.randint(0, 4)):
        inputs = {f"p{i}": name for i, name in enumerate(draw.sample(there, draw.randint(0, 3)))}
        functions.append(
            FeatureFunction(f"a.b.g{number % 3}", inputs, f"{draw.choice('by')}{number}")
        )
        there.append(functions[-1].output)
    types = {
        name: draw.choice(["int", "string", "decimal(10,2)", "array<double>"]) for name in there
    }
    ids = {lookup.table: f"id {lookup.table}" for lookup in lookups}
    exclude = draw.sample(there[1:], draw.randint(0, 2))
    rows = SimpleNamespace(columns=spine)
    return feature_spec.build(types, TrainingSpec(rows, lookups, functions, exclude=exclude), ids)
