"""Feature tables on Delta, and functions kept beside them, as Databricks' feature client does it.

Semantics: databricks.md §2, read from databricks-feature-engineering 0.18.2. The engine keeps no
primary keys and no functions: both stand in files of the lakehouse, beside the tables.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms import NewModel, Published, TrainingSpec
from nextbest.platforms.functions import CatalogFunction, catalog_function
from nextbest.platforms.local import (
    default_values,
    delta,
    feature_models,
    feature_scoring,
    feature_spec,
    online_database,
    online_store,
    point_in_time,
)
from nextbest.platforms.local.feature_checks import require_writable
from nextbest.platforms.local.feature_plan import plan
from nextbest.platforms.local.feature_steps import Call, FeatureTable, Join, spelt_out

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo
    from pyspark.sql import DataFrame, SparkSession


class LocalFeatureStore:
    """The feature store port over the embedded engine."""

    def __init__(self, spark: SparkSession, lakehouse: Path) -> None:
        self._spark = spark
        self._lakehouse = lakehouse

    def write(
        self, table: str, frame: DataFrame, keys: Sequence[str], timestamp: str | None
    ) -> None:
        """Create the table, or merge rows on keys + timestamp; new columns are added.

        Raises DataError when the table is there with other keys or types or is no feature table,
        when a key is absent, null or there twice, and, as on Databricks, when a table with a
        timestamp would lack one of its columns in the new rows.
        """
        there = self._declared(table) if tables.exists(self._spark, table) else None
        require_writable(table, frame, keys, timestamp, there)
        if there is None:
            # First, so that a run killed between the two finds a table that it may write to.
            _put(self._declaration(table), {"keys": list(keys), "timestamp": timestamp})
        tables.merge(frame, table, [*keys, *([timestamp] if timestamp else [])])

    def read(self, table: str) -> DataFrame:
        """The feature table; DataError when there is none of this name."""
        self._declared(table)
        return tables.read(self._spark, table)

    def register(self, name: str, function: Callable[..., Any]) -> None:
        """Keep a Python function under a three-level name; an older one is replaced.

        Its annotations are its types (see platforms.functions); it must stand alone.
        """
        kept = catalog_function(name, function)
        _put(self._function(kept.name), dataclasses.asdict(kept))

    def training_set(self, spec: TrainingSpec) -> DataFrame:
        """The spine with features as of each row's time and computed ones (see the port).

        Raises DataError with everything that doesn't fit: keys, types, names, defaults.
        """
        known = {name: self._declared(name) for name in {lookup.table for lookup in spec.lookups}}
        work = plan(
            spec.spine.dtypes,
            [spelt_out(lookup, known[lookup.table]) for lookup in spec.lookups],
            [Call(wanted, self._kept(wanted.function.lower())) for wanted in spec.functions],
            spec.labels,
            spec.exclude,
        )
        frame = spec.spine
        for step in work.steps:
            if isinstance(step, Join):
                table = tables.read(self._spark, step.table.name)
                frame = point_in_time.join(frame, table, step)
            else:
                frame = _computed(frame, step)
        frame = default_values.fill(frame, work.defaults) if work.defaults else frame
        return frame.select(*[tables.column(name) for name in work.columns])

    def log_model(self, new: NewModel, spec: TrainingSpec) -> str:
        """Log a model with what it takes to compute its inputs, register it; its version.

        Raises DataError as `training_set` does, without an active MLflow run, and without labels
        and output_schema.
        """
        import mlflow

        logged = self.logged(new, spec)
        # One call: a process that dies here leaves no version without its tags.
        return str(mlflow.register_model(logged.model_uri, new.name, tags=dict(new.tags)).version)

    def logged(self, new: NewModel, spec: TrainingSpec) -> ModelInfo:
        """What `log_model` registers."""
        # With what will be excluded: types of keys belong to the spec, too.
        types = dict(self.training_set(replace(spec, exclude=())).dtypes)
        lookups = [
            replace(lookup, features=lookup.features or self._features(lookup.table))
            for lookup in spec.lookups
        ]
        ids = {lookup.table: self._table_id(lookup.table) for lookup in spec.lookups}
        packaged = feature_spec.build(types, replace(spec, lookups=lookups), ids)
        return feature_models.log(new, packaged, {name: types[name] for name in spec.labels})

    def score_batch(
        self, model_uri: str, frame: DataFrame, result_type: str = "double"
    ) -> DataFrame:
        """The frame with the model's inputs that it lacked, and `prediction` (see the port)."""
        return feature_scoring.score_batch(self, model_uri, frame, result_type, self._table_id)

    def publish(self, table: str) -> Published:
        """Bring the latest row of each key into the lakehouse's online store (see the port)."""
        declared = self._declared(table)
        return online_store.publish(
            self._spark, self._lakehouse, table, declared.keys, declared.timestamp
        )

    def online(self, table: str) -> bool:
        """Whether the table was published here."""
        return online_database.path(self._lakehouse, table).is_file()

    def _declared(self, table: str) -> FeatureTable:
        frame = tables.read(self._spark, table)
        file = self._declaration(table)
        if not file.is_file():
            raise DataError(
                f"{table} is no feature table: there is a table of that name without declared keys;"
                " drop it, or choose another name, and write it by the feature store"
            )
        told = json.loads(file.read_text())
        return FeatureTable(table, tuple(told["keys"]), told["timestamp"], dict(frame.dtypes))

    def _declaration(self, table: str) -> Path:
        return self._lakehouse.joinpath(*table.split(".")) / "_feature_table.json"

    def _kept(self, name: str) -> CatalogFunction:
        file = self._function(name)
        if not file.is_file():
            raise DataError(f"function {name} does not exist: register it by the feature store")
        told = json.loads(file.read_text())
        return CatalogFunction(**{**told, "parameters": tuple(map(tuple, told["parameters"]))})

    def _function(self, name: str) -> Path:
        *schema, last = name.split(".")
        return self._lakehouse.joinpath(*schema, "_functions", f"{last}.json")

    def _features(self, table: str) -> tuple[str, ...]:
        declared = self._declared(table)
        keys = {*declared.keys, declared.timestamp}
        return tuple(name for name in declared.kinds if name not in keys)

    def _table_id(self, table: str) -> str:
        return delta.table_id(self._lakehouse, table)


def _put(file: Path, content: Mapping[str, Any]) -> None:
    """Write a small file in one step: a reader sees the old or the new one, whoever else writes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    draft.write_text(json.dumps(content))
    draft.replace(file)


def _computed(frame: DataFrame, call: Call) -> DataFrame:
    from pyspark.sql import functions as F

    apply = F.udf(call.function.python(), call.function.returns)
    bound = [tables.column(call.wanted.inputs[name]) for name, _ in call.function.parameters]
    return frame.withColumn(call.wanted.output, apply(*bound))
