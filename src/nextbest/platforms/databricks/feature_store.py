"""The feature store port over Databricks' own feature engineering client.

The client works only on Databricks and is imported when it is first needed. Written from its
source (0.18.2, see databricks.md §2); not yet run against a workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.errors import DataError, PlatformError
from nextbest.platforms import NewModel, Published, TrainingSpec
from nextbest.platforms.databricks import online_store, training_sets
from nextbest.platforms.databricks.refusals import refused
from nextbest.platforms.functions import catalog_function

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import DataFrame, SparkSession


class DatabricksFeatureStore:
    """Feature tables and functions in Unity Catalog; `client` is one of Databricks' own."""

    def __init__(self, spark: SparkSession, workspace: WorkspaceClient, client: Any = None) -> None:
        self._spark = spark
        self._workspace = workspace
        self._given = client

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        with refused("the feature engineering client", "start it within Databricks", "a login"):
            try:
                from databricks.feature_engineering import FeatureEngineeringClient
            except ImportError as error:
                raise PlatformError(
                    f"the feature engineering client can't be imported ({error}): take the ML "
                    "runtime, or add databricks-feature-engineering to the dependencies of "
                    "`compute` in databricks.yml"
                ) from error
            return FeatureEngineeringClient()

    def write(
        self, table: str, frame: DataFrame, keys: Sequence[str], timestamp: str | None
    ) -> None:
        """Create the table, or merge rows on keys + timestamp; new columns are added.

        Raises DataError when the table is there with other keys, and with what the client says
        when it refuses the rows.
        """
        by = ", ".join([*keys, *([timestamp] if timestamp else [])])
        mend = f"its rows need {by}, none of them null, and columns of the table's types"
        right = f"USE SCHEMA and CREATE TABLE on the schema of {table}, and MODIFY on it"
        with refused(f"feature table {table}", mend, right):
            if tables.exists(self._spark, table):
                own_keys, own_time = training_sets.identity(self._client, table)
                if (own_keys, own_time) != (list(keys), timestamp):
                    raise DataError(
                        f"feature table {table}: its keys are {own_keys} and its timestamp is "
                        f"{own_time}, the rows come with {list(keys)} and {timestamp}: write them "
                        "to a table of their own"
                    )
            else:
                self._client.create_table(
                    name=table,
                    primary_keys=[*keys, *([timestamp] if timestamp else [])],
                    timeseries_column=timestamp,
                    schema=frame.schema,
                )
            self._client.write_table(name=table, df=frame, mode="merge")

    def read(self, table: str) -> DataFrame:
        """The feature table; DataError when there is none of this name."""
        tables.read(self._spark, table)
        with refused(f"feature table {table}", "see it in Catalog Explorer", f"SELECT on {table}"):
            return self._client.read_table(name=table)

    def register(self, name: str, function: Callable[..., Any]) -> None:
        """Create or replace a Python function of Unity Catalog from the function's own source."""
        kept = catalog_function(name, function)
        if "$$" in kept.source:
            raise DataError(f"function {name}: its source has $$, which ends it in SQL")
        parameters = ", ".join(f"{tables.sql_name(each)} {kind}" for each, kind in kept.parameters)
        bound = ", ".join(each for each, _ in kept.parameters)
        right = "CREATE FUNCTION on its schema, or to own it"
        with refused(f"function {name}", f"who creates it needs {right}", right):
            self._spark.sql(
                f"CREATE OR REPLACE FUNCTION {tables.quote(kept.name)}({parameters}) "
                f"RETURNS {kept.returns} LANGUAGE PYTHON AS "
                f"$$\n{kept.source}\nreturn {function.__name__}({bound})\n$$"
            )

    def training_set(self, spec: TrainingSpec) -> DataFrame:
        """The spine with features as of each row's time and computed ones (see the port).

        Raises DataError with what the client says when something doesn't fit.
        """
        return training_sets.load(self._client, spec)

    def log_model(self, new: NewModel, spec: TrainingSpec) -> str:
        """Log a model with its feature spec and register it; its version (see the port).

        Raises DataError as `training_set` does, and without an active MLflow run.
        """
        return training_sets.log(self._client, new, spec)

    def score_batch(
        self, model_uri: str, frame: DataFrame, result_type: str = "double"
    ) -> DataFrame:
        """The frame with the model's inputs that it lacked, and `prediction` (see the port)."""
        mend = "give it the keys by which the model looks up its features (feature_spec.yaml)"
        right = f"EXECUTE on the model, SELECT on its feature tables (to score {model_uri})"
        with refused(f"{model_uri}: the frame can't be scored", mend, right):
            return self._client.score_batch(model_uri=model_uri, df=frame, result_type=result_type)

    def publish(self, table: str) -> Published:
        """Bring a feature table into the schema's online store (see the port)."""
        return online_store.publish(self._client, self._workspace, self._spark, table)

    def online(self, table: str) -> bool:
        """Whether the table has an online table."""
        return tables.exists(self._spark, online_store.online_name(table))
