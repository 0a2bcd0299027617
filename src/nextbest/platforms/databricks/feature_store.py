"""The feature store port over Databricks' own feature engineering client.

The client works only on Databricks and is imported when it is first needed. Written from its
source (0.18.2, see databricks.md §2); not yet run against a workspace.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.decisions.rule_parts import sql_name
from nextbest.errors import DataError, PlatformError
from nextbest.platforms import FeatureFunction, Lookup, Published
from nextbest.platforms.databricks import feature_models
from nextbest.platforms.functions import catalog_function

if TYPE_CHECKING:
    from mlflow.types import Schema
    from pyspark.sql import DataFrame, SparkSession


class DatabricksFeatureStore:
    """Feature tables and functions in Unity Catalog; `client` is one of Databricks' own."""

    def __init__(self, spark: SparkSession, client: Any = None) -> None:
        self._spark = spark
        self._given = client

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        from databricks.feature_engineering import FeatureEngineeringClient

        return FeatureEngineeringClient()

    def write(
        self, table: str, frame: DataFrame, keys: Sequence[str], timestamp: str | None
    ) -> None:
        """Create the table, or merge rows on keys + timestamp; new columns are added.

        Raises DataError when the table is there with other keys, and with what the client says
        when it refuses the rows.
        """
        times = [timestamp] if timestamp else []
        if tables.exists(self._spark, table):
            own_keys, own_times = self._keys(table)
            if (own_keys, own_times) != (list(keys), times):
                raise DataError(
                    f"feature table {table}: its keys are {own_keys} and its timestamp is "
                    f"{(own_times or [None])[0]}, the rows come with {list(keys)} and {timestamp}:"
                    " write them to a table of their own"
                )
        else:
            self._client.create_table(
                name=table,
                primary_keys=[*keys, *times],
                timeseries_column=timestamp,
                schema=frame.schema,
            )
        try:
            self._client.write_table(name=table, df=frame, mode="merge")
        except ValueError as error:
            raise DataError(f"feature table {table}: {error}") from error

    def read(self, table: str) -> DataFrame:
        """The feature table; DataError when there is none of this name."""
        tables.read(self._spark, table)
        return self._client.read_table(name=table)

    def register(self, name: str, function: Callable[..., Any]) -> None:
        """Create or replace a Python function of Unity Catalog from the function's own source."""
        kept = catalog_function(name, function)
        if "$$" in kept.source:
            raise DataError(f"function {name}: its source has $$, which ends it in SQL")
        parameters = ", ".join(f"{sql_name(each)} {kind}" for each, kind in kept.parameters)
        bound = ", ".join(each for each, _ in kept.parameters)
        self._spark.sql(
            f"CREATE OR REPLACE FUNCTION {tables.quote(kept.name)}({parameters}) "
            f"RETURNS {kept.returns} LANGUAGE PYTHON AS "
            f"$$\n{kept.source}\nreturn {function.__name__}({bound})\n$$"
        )

    def training_set(
        self,
        spine: DataFrame,
        lookups: Sequence[Lookup],
        *,
        functions: Sequence[FeatureFunction] = (),
        label: str | Sequence[str] | None = None,
        exclude: Sequence[str] = (),
    ) -> DataFrame:
        """The spine with features as of each row's time and computed ones (see the port).

        Raises DataError with what the client says when something doesn't fit.
        """
        from databricks.feature_engineering import FeatureFunction as TheirFunction
        from databricks.feature_engineering import FeatureLookup

        labels = [label] if isinstance(label, str) else list(label or ())
        # The client refuses features that the spine has; here, as when it scores, they override.
        there = [name for name in spine.columns if name not in labels]
        named = [(lookup, self._features(lookup, there)) for lookup in lookups]
        try:
            wanted = [
                FeatureLookup(
                    table_name=lookup.table,
                    lookup_key=list(lookup.keys),
                    feature_names=features,
                    rename_outputs=dict(lookup.renames) or None,
                    timestamp_lookup_key=lookup.timestamp,
                    lookback_window=lookup.lookback,
                    default_values=_defaults(lookup, set(lookup.defaults) - {*there}),
                )
                for lookup, features in named
                if features != []
            ]
            computed = [
                TheirFunction(
                    udf_name=each.function,
                    input_bindings=dict(each.inputs),
                    output_name=each.output,
                )
                for each in functions
            ]
            frame = self._client.create_training_set(
                df=spine,
                feature_lookups=[*wanted, *computed],
                label=labels or None,
                exclude_columns=list(exclude),
            ).load_df()
        except (ValueError, KeyError) as error:
            raise DataError(f"no training set: {error}") from error
        for lookup in lookups:
            if late := _defaults(lookup, {*there} & {*frame.columns}):
                frame = frame.fillna(late)
        return frame

    def log_model(
        self,
        model: Any,
        name: str,
        spine: DataFrame,
        lookups: Sequence[Lookup],
        *,
        flavor: ModuleType,
        pip_requirements: Sequence[str],
        functions: Sequence[FeatureFunction] = (),
        label: str | Sequence[str] | None = None,
        exclude: Sequence[str] = (),
        output_schema: Schema | None = None,
        tags: Mapping[str, str] | None = None,
        **save: Any,
    ) -> str:
        """Log a model with its feature spec and register it; its version (see the port)."""
        return feature_models.log(
            self._client,
            model,
            name,
            feature_models.training_set(self._client, spine, lookups, functions, label, exclude),
            flavor=flavor,
            pip_requirements=pip_requirements,
            output_schema=output_schema,
            tags=tags,
            save=save,
        )

    def score_batch(
        self, model_uri: str, frame: DataFrame, result_type: str = "double"
    ) -> DataFrame:
        """The frame with the model's inputs that it lacked, and `prediction` (see the port)."""
        return self._client.score_batch(model_uri=model_uri, df=frame, result_type=result_type)

    def publish(self, table: str, *, time_to_live: dt.timedelta | None = None) -> Published:
        """Bring a feature table into the schema's online store (see the port).

        Raises PlatformError for a time to live, which Databricks' online store doesn't have.
        """
        if time_to_live is not None:
            raise PlatformError(
                f"{table}: Databricks' online store has no time to live; delete old rows from "
                "the feature table and publish again"
            )
        return feature_models.publish(self._client, self._spark, table)

    def _keys(self, table: str) -> tuple[list[str], list[str]]:
        """The table's keys without its timestamp, and its timestamp in a list."""
        known = self._client.get_table(name=table)
        times = list(known.timestamp_keys)
        return [key for key in known.primary_keys if key not in times], times

    def _features(self, lookup: Lookup, there: Sequence[str]) -> list[str] | None:
        """The features to look up, None for all; those that the spine has are left out."""
        features = list(lookup.features)
        if not features:
            keys, times = self._keys(lookup.table)
            columns = self._client.read_table(name=lookup.table).columns
            features = [name for name in columns if name not in (*keys, *times)]
        missing = [name for name in features if lookup.output(name) not in there]
        return None if not lookup.features and missing == features else missing


def _defaults(lookup: Lookup, names: set[str]) -> dict[str, Any] | None:
    """The defaults of some features, None for none."""
    return {name: value for name, value in lookup.defaults.items() if name in names} or None
