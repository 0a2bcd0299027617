"""The literal tables agree with the dataclasses of databricks-bundles."""

from __future__ import annotations

import dataclasses
import enum
import typing

import pytest
from databricks.bundles.alerts import Alert
from databricks.bundles.dashboards import Dashboard
from databricks.bundles.experiments import MlflowExperiment
from databricks.bundles.jobs import Job
from databricks.bundles.model_serving_endpoints import ModelServingEndpoint
from databricks.bundles.quality_monitors import QualityMonitor
from databricks.bundles.registered_models import RegisteredModel
from databricks.bundles.schemas import Schema
from databricks.bundles.secret_scopes import SecretScope
from databricks.bundles.volumes import Volume

from nextbest.bundle.fields import Field, field_at, fields_of, is_type, type_names, values_of

pytestmark = pytest.mark.unit

RESOURCES = {
    "jobs": Job,
    "experiments": MlflowExperiment,
    "registered_models": RegisteredModel,
    "schemas": Schema,
    "volumes": Volume,
    "dashboards": Dashboard,
    "model_serving_endpoints": ModelServingEndpoint,
    "quality_monitors": QualityMonitor,
    "alerts": Alert,
    "secret_scopes": SecretScope,
}
SCALARS = {str: "str", int: "int", bool: "bool", float: "float", typing.Any: "any"}


def _below(hint: object, kind: str, seen: dict[type, str]) -> None:
    """Compare a type hint with the kind of our table, and all that lies below."""
    origin = typing.get_origin(hint)
    if origin is typing.Union:
        options = [
            option
            for option in typing.get_args(hint)
            if option is not type(None) and "Variable" not in str(typing.get_origin(option))
        ]
        plain = {str(typing.get_origin(option) or option): option for option in options}
        for option in plain.values():
            _below(option, kind, seen)
    elif origin is list:
        assert kind[0] == "["
        _below(typing.get_args(hint)[0], kind[1:-1], seen)
    elif origin is dict:
        assert kind[0] == "{"
        _below(typing.get_args(hint)[1], kind[1:-1], seen)
    elif dataclasses.is_dataclass(hint):
        _same(hint, kind, seen)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        assert values_of(kind) == tuple(item.value for item in hint)
    elif origin is typing.Literal:  # an enumeration, again, as its strings
        assert set(typing.get_args(hint)) <= set(values_of(kind))
    else:
        assert kind == SCALARS[hint]


def _same(theirs: type, name: str, seen: dict[type, str]) -> None:
    if theirs in seen:
        assert seen[theirs] == name
        return
    seen[theirs] = name
    hints = typing.get_type_hints(theirs)
    ours = fields_of(name)
    assert set(ours) == {item.name for item in dataclasses.fields(theirs)}, name
    for item in dataclasses.fields(theirs):
        required = (
            item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        )
        assert ours[item.name].required == required, f"{name}.{item.name}"
        _below(hints[item.name], ours[item.name].kind, seen)


@pytest.mark.parametrize("group", RESOURCES)
def test_resource(group: str):
    kind = fields_of("Resources")[group].kind
    seen: dict[type, str] = {}
    _same(RESOURCES[group], kind[1:-1], seen)
    assert seen


def test_every_kind_is_defined():
    for name in type_names():
        for field in fields_of(name).values():
            kind = field.kind.strip("[]{}")
            assert kind in SCALARS.values() or is_type(kind) or values_of(kind), kind


def test_field_at():
    assert field_at(("workspace", "host")) == Field("str", False)
    assert field_at(("resources", "jobs", "etl", "tasks", 0, "task_key")) == Field("str", True)
    assert field_at(("resources", "pipelines", "etl", "anything")) == Field("any", False)
    assert field_at(("workspace", "hsot")) is None
