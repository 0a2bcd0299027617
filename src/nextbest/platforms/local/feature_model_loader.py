"""How MLflow opens a model with a feature spec here: requests bring keys, features come online.

On Databricks, Model Serving does the same with its own look-up client. Imported by MLflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa

from nextbest.errors import DataError
from nextbest.platforms import RAW_MODEL
from nextbest.platforms.local import environment, feature_models, feature_spec
from nextbest.platforms.local.default_values import NUMBERS, converted
from nextbest.platforms.local.feature_spec import FeatureSpec
from nextbest.platforms.local.online_reader import OnlineTable


class FeatureModel:
    """A model that completes each request from the online store before it answers.

    What a request brings is taken as it is. Online stands the latest row of each key: a lookup's
    timestamp and lookback say nothing here, as on Databricks. Raises DataError for a table that
    is not online and for what a function would compute, which a request must bring.
    """

    def __init__(self, spec: FeatureSpec, model: Any) -> None:
        self.spec = spec
        self._model = model

    def predict(self, rows: pd.DataFrame, params: Mapping[str, Any] | None = None) -> Any:
        """Answers of the model, one per row."""
        given = list(rows.columns)
        if absent := self._to_compute(given):
            raise DataError(
                f"{', '.join(absent)}: computed on demand, which works in batch scoring only; "
                "bring it in the request"
            )
        types = {column.name: column.data_type for column in self.spec.columns}
        rows = _as_dates(rows, types)
        found: dict[str, list[Any]] = {}  # whole numbers with a gap are floats in the frame
        for lookup in feature_spec.questions(self.spec)[0]:
            names = {feature: lookup.renames.get(feature, feature) for feature in lookup.features}
            wanted = {feature: name for feature, name in names.items() if name not in given}
            if not wanted:
                continue
            table = _online(environment.lakehouse(), lookup.table)
            columns = [found[key] if key in found else _keys(rows[key]) for key in lookup.keys]
            asked = zip(*columns, strict=True)
            there = table.read([dict(zip(table.keys, key, strict=True)) for key in asked])
            for feature, name in wanted.items():
                default = lookup.defaults.get(name)
                values = _filled([row and row[feature] for row in there], default, types[name])
                found[name] = values
                rows[name] = _series(values, types[name], rows.index)
        return self._model.predict(rows[list(self.spec.inputs)])

    def _to_compute(self, given: list[str]) -> list[str]:
        return [
            column.name
            for column in self.spec.columns
            if column.source == feature_spec.FUNCTION and column.name not in given
        ]


def _load_pyfunc(path: str) -> FeatureModel:
    """What MLflow calls with the model's data, `data/feature_store`."""
    folder = Path(path).parents[1]
    return FeatureModel(
        feature_models.load_spec(folder), mlflow.pyfunc.load_model(str(folder / RAW_MODEL))
    )


@lru_cache(maxsize=64)
def _online(lakehouse: Path, table: str) -> OnlineTable:
    return OnlineTable(lakehouse, table)


def _as_dates(rows: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """A copy of the rows, its dates as a batch has them: MLflow brings them as midnights."""
    rows = rows.copy()
    for name in rows.columns:
        if types.get(name) == "date" and pd.api.types.is_datetime64_any_dtype(rows[name]):
            if (rows[name].dropna() != rows[name].dropna().dt.normalize()).any():
                raise DataError(f"{name} is a date; bring it without a time of day")
            days = [None if pd.isna(moment) else moment.date() for moment in rows[name]]
            rows[name] = pd.Series(days, rows.index, dtype="object")
    return rows


def _keys(column: pd.Series) -> list[Any]:
    """Keys that a request brings: what is absent is None, and a time is in UTC as in a batch."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        column = column.dt.tz_localize("UTC")
    return [None if pd.isna(value) else value for value in column]


def _filled(values: list[Any], default: str | None, data_type: str) -> list[Any]:
    if not default:
        return values
    typed, problems = converted({"default": (default, data_type)})
    if problems:
        raise DataError("; ".join(problems))
    # As Spark's fillna, which fills NaN too.
    return [typed["default"] if value is None or value != value else value for value in values]


def _series(values: list[Any], data_type: str, index: pd.Index) -> pd.Series:
    """The values as a batch gives them to the model: a whole number that is absent is NaN."""
    gap = any(value is None for value in values)
    if data_type in ("float", "double"):
        return pd.Series(values, index, dtype=NUMBERS[data_type])
    if data_type in NUMBERS:
        return pd.Series(values, index, dtype="float64" if gap else NUMBERS[data_type])
    if data_type == "boolean":
        return pd.Series(values, index, dtype="object" if gap else "bool")
    if data_type == "timestamp":
        moments = pd.Series(values, index, dtype="datetime64[ns, UTC]")
        return moments.dt.tz_localize(None)
    if data_type.startswith("array<"):
        element = data_type.removeprefix("array<").removesuffix(">")
        kind = pa.from_numpy_dtype(NUMBERS[element]) if element in NUMBERS else None
        values = [
            None if value is None else pa.array(value, kind).to_numpy(zero_copy_only=False)
            for value in values
        ]
    return pd.Series(values, index, dtype="object")
