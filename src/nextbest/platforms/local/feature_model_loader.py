"""How MLflow opens a model with a feature spec here: requests bring keys, features come online.

On Databricks, Model Serving does the same with its own look-up client. Imported by MLflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from nextbest.errors import DataError
from nextbest.platforms.local import environment, feature_models, feature_spec
from nextbest.platforms.local.feature_spec import FeatureSpec
from nextbest.platforms.local.online_reader import OnlineTable

_NUMBERS = {
    "smallint": "int16", "int": "int32", "bigint": "int64", "float": "float32",
    "double": "float64",
}  # fmt: skip


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
        rows = rows.copy()
        for lookup in feature_spec.questions(self.spec)[0]:
            names = {feature: lookup.renames.get(feature, feature) for feature in lookup.features}
            wanted = {feature: name for feature, name in names.items() if name not in given}
            if not wanted:
                continue
            table = _online(environment.lakehouse(), lookup.table)
            asked = rows[list(lookup.keys)].itertuples(index=False, name=None)
            found = table.read([dict(zip(table.keys, key, strict=True)) for key in asked])
            for feature, name in wanted.items():
                default = lookup.defaults.get(name)
                values = _filled([row and row[feature] for row in found], default, types[name])
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
    folder = Path(path)
    spec = feature_models.load_spec(folder.parents[1])
    return FeatureModel(spec, mlflow.pyfunc.load_model(str(folder / feature_models.RAW_MODEL)))


@lru_cache(maxsize=64)
def _online(lakehouse: Path, table: str) -> OnlineTable:
    return OnlineTable(lakehouse, table)


def _filled(values: list[Any], default: str | None, data_type: str) -> list[Any]:
    if not default:
        return values
    from nextbest.platforms.local.default_values import converted

    typed, problems = converted({"default": (default, data_type)})
    if problems:
        raise DataError("; ".join(problems))
    # As Spark's fillna, which fills NaN too.
    return [typed["default"] if value is None or value != value else value for value in values]


def _series(values: list[Any], data_type: str, index: pd.Index) -> pd.Series:
    """The values as a batch gives them to the model: a number that is absent is NaN."""
    if data_type in _NUMBERS:
        kind = "float64" if None in values else _NUMBERS[data_type]
        return pd.Series(values, index, dtype=kind)
    if data_type == "timestamp":
        moments = pd.Series(values, index, dtype="datetime64[ns, UTC]")
        return moments.dt.tz_localize(None)
    return pd.Series(values, index, dtype="object")
