"""The file of a feature spec: `feature_spec.yaml` of Databricks' feature engineering client.

Serialization version 11 of client 0.18.2 (../shared/reference/databricks.md §2). A test reads what
is written here with the client itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import yaml

from nextbest.errors import DataError
from nextbest.platforms.local.feature_spec import (
    FUNCTION,
    LOOKUP,
    RANKS,
    Column,
    FeatureSpec,
    Table,
)

NAME = "feature_spec.yaml"
VERSION = 11
CLIENT = "0.18.2"


def to_yaml(spec: FeatureSpec) -> str:
    """The text of feature_spec.yaml, byte for byte as the client writes it."""
    names = sorted({column.function for column in spec.columns if column.function})
    told: dict[str, Any] = {
        "input_columns": [{column.name: _attributes(column)} for column in spec.columns],
        "workspace_id": "0",
        "feature_store_client_version": CLIENT,
    }
    if spec.tables:
        told["input_tables"] = [{table.name: _table_attributes(table)} for table in spec.tables]
    if names:
        told["input_functions"] = [{name: {}} for name in names]
    told["serialization_version"] = VERSION
    return yaml.safe_dump(told, default_flow_style=False, allow_unicode=True, sort_keys=False)


def from_yaml(text: str, place: str) -> FeatureSpec:
    """Read a spec that `to_yaml` or the client wrote; `place` is named in errors.

    Raises DataError for what is no spec, and for specs of feature views or of a newer version,
    whose features would be silently left out.
    """
    try:
        told = yaml.safe_load(text)
        version = told.get("serialization_version", 1)
        if version > VERSION or "features" in told:
            raise DataError(
                f"{place}: a feature spec of version {version}"
                f"{' with feature views' if 'features' in told else ''}; known are lookups and "
                f"functions up to version {VERSION}: log the model again"
            )
        columns = tuple(_column(*next(iter(each.items()))) for each in told["input_columns"])
        tables = tuple(
            Table(name, about.get("table_id") or None, _window(about.get("lookback_window")))
            for each in told.get("input_tables", [])
            for name, about in each.items()
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{place}: no feature spec ({type(error).__name__}: {error}); log the model again"
        ) from error
    return FeatureSpec(columns, tables)


def _attributes(column: Column) -> dict[str, Any]:
    """A column in the file, fields in the client's order."""
    told: dict[str, Any] = {}
    if column.source == LOOKUP:
        told |= {"table_name": column.table, "feature_name": column.feature}
        told["lookup_key"] = list(column.keys)
        if column.timestamp:
            told["timestamp_lookup_key"] = [column.timestamp]
        if column.default:
            told["default_value"] = column.default
    elif column.source == FUNCTION:
        told["udf_name"] = column.function
        if column.inputs:
            told["input_bindings"] = dict(column.inputs)
    told["data_type"] = column.data_type
    if not column.include:
        told["include"] = False
    return told | {"topological_ordering": column.order, "source": column.source}


def _table_attributes(table: Table) -> dict[str, Any]:
    told: dict[str, Any] = {} if table.id is None else {"table_id": table.id}
    if table.lookback is not None:
        told["lookback_window"] = table.lookback.total_seconds()
    return told


def _column(name: str, told: Mapping[str, Any]) -> Column:
    if told["source"] not in RANKS:
        raise ValueError(f"column {name} has the source '{told['source']}'")
    return Column(
        name,
        told["source"],
        told.get("data_type", ""),
        told.get("include", True),
        told.get("topological_ordering", 0),
        told.get("table_name", ""),
        told.get("feature_name", ""),
        tuple(told.get("lookup_key", ())),
        next(iter(told.get("timestamp_lookup_key", ())), None),
        told.get("default_value"),
        told.get("udf_name", ""),
        told.get("input_bindings", {}),
    )


def _window(seconds: float | None) -> dt.timedelta | None:
    return None if seconds is None else dt.timedelta(seconds=float(seconds))
