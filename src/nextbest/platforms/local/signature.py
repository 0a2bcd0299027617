"""The signature of a model with a feature spec: what a request must bring and what it may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nextbest.errors import DataError
from nextbest.platforms.local.feature_spec import SOURCE, FeatureSpec

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.types import DataType, Schema
    from mlflow.types.schema import Array

_NAMES = {
    "smallint": "integer", "int": "integer", "bigint": "long", "float": "float",
    "double": "double", "boolean": "boolean", "date": "datetime", "timestamp": "datetime",
    "string": "string", "binary": "binary",
}  # fmt: skip


def signature(
    spec: FeatureSpec, labels: Mapping[str, str], output: Schema | None
) -> ModelSignature:
    """Source columns are required, features may be sent in place of those looked up.

    The output is the labels (name: type), or `output` where it is given. Raises DataError for a
    source column or a label that no MLflow type stands for, and where neither label nor output is
    told; features of such types are left out, as the client does: they can't be sent.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    kinds = {column.name: _kind(column.data_type) for column in spec.columns}
    results = {name: _kind(data_type) for name, data_type in labels.items()}
    problems = [
        f"{column.name} is {column.data_type}, which a model signature can't hold"
        for column in spec.sources
        if kinds[column.name] is None
    ]
    if output is None:
        problems += [
            f"label {name} is {labels[name]}, which a model signature can't hold"
            for name, kind in results.items()
            if kind is None
        ]
        if not labels:
            problems.append("nothing tells what it gives: name the label, or give output_schema")
    if problems:
        raise DataError(f"the model can't be logged: {'; '.join(problems)}")
    inputs = [
        ColSpec(kinds[column.name], column.name, required=column.source == SOURCE)
        for column in spec.columns
        if kinds[column.name] is not None
    ]
    told = output or Schema([ColSpec(kind, name) for name, kind in results.items()])
    return ModelSignature(inputs=Schema(inputs), outputs=told)


def _kind(data_type: str) -> DataType | Array | None:
    from mlflow.types import DataType
    from mlflow.types.schema import Array

    if data_type.startswith("array<"):
        element = _kind(data_type.removeprefix("array<").removesuffix(">"))
        return None if element is None else Array(element)
    return DataType[_NAMES[data_type]] if data_type in _NAMES else None
