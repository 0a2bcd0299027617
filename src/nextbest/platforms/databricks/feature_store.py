"""The feature store port over Databricks' own feature engineering client.

The client works only on Databricks and is imported when it is first needed. Written from its
source (0.18.2, see ../shared/reference/databricks.md §2); not yet run against a workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.platforms import Lookup

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class DatabricksFeatureStore:
    """Feature tables in Unity Catalog."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    @cached_property
    def _client(self) -> Any:
        from databricks.feature_engineering import FeatureEngineeringClient

        return FeatureEngineeringClient()

    def write(self, table: str, frame: DataFrame, keys: Sequence[str], timestamp: str) -> None:
        """Upsert feature rows on keys + timestamp; the first write creates the table."""
        if not tables.exists(self._spark, table):
            self._client.create_table(
                name=table,
                primary_keys=[*keys, timestamp],
                timeseries_column=timestamp,
                schema=frame.schema,
            )
        self._client.write_table(name=table, df=frame, mode="merge")

    def training_set(self, spine: DataFrame, lookups: Sequence[Lookup]) -> DataFrame:
        """The spine with each lookup's features as of its timestamp; unmatched rows stay."""
        from databricks.feature_engineering import FeatureLookup

        wanted = [
            FeatureLookup(
                table_name=lookup.table,
                lookup_key=list(lookup.keys),
                feature_names=list(lookup.features) or None,
                timestamp_lookup_key=lookup.timestamp,
            )
            for lookup in lookups
        ]
        return self._client.create_training_set(
            df=spine, feature_lookups=wanted, label=None
        ).load_df()
