"""What stands in for Databricks' feature engineering client: our local store, asked its way.

An autospec of the real class takes the calls: it refuses what the client would not take. Its own
errors are ValueErrors. It checks types and uniqueness, no nulls: those Delta refuses.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from unittest import mock

import databricks.feature_engineering as engineering
from pyspark.errors import PySparkException

from nextbest.errors import DataError
from nextbest.platforms import FeatureFunction, Lookup, NewModel, TrainingSpec
from nextbest.platforms.local.feature_store import LocalFeatureStore

ANSWERED = (
    "create_table", "write_table", "get_table", "read_table", "create_training_set", "log_model",
    "get_online_store", "create_online_store", "publish_table",
)  # fmt: skip


REAL = engineering.FeatureEngineeringClient


def autospec(answers, answered=ANSWERED):
    """A client of the real one's signatures that gives these answers."""
    client = mock.create_autospec(REAL, instance=True)
    for name in answered:
        getattr(client, name).side_effect = getattr(answers, name)
    return client


def stand_in(spark, lakehouse):
    """Let whoever makes a client get this one."""
    answers = Answers(spark, LocalFeatureStore(spark, lakehouse), lakehouse / "feature_client.json")
    engineering.FeatureEngineeringClient = lambda: autospec(answers)


class Answers:
    """What the client does, by a local store; `file` keeps what it knows from run to run."""

    def __init__(self, spark, backing, file=None):
        self.spark, self.backing, self.file = spark, backing, file
        kept = json.loads(file.read_text()) if file and file.is_file() else {}
        self.identity, self.stores = kept.get("identity", {}), kept.get("stores", [])

    def _keep(self):
        if self.file:
            self.file.write_text(json.dumps({"identity": self.identity, "stores": self.stores}))

    def create_table(self, *, name, primary_keys, timeseries_column, schema):
        keys = [key for key in primary_keys if key != timeseries_column]
        self.identity[name] = (keys, timeseries_column)
        self._keep()
        empty = self.spark.createDataFrame([], schema)
        self.backing.write(name, empty, keys, timeseries_column)

    def write_table(self, *, name, df, mode):
        keys, time = self.identity[name]
        for key in keys:
            if key in df.columns and df.where(f"`{key}` IS NULL").count():
                raise PySparkException(f"NOT NULL constraint violated for column: {key}")
        try:
            self.backing.write(name, df, keys, time)
        except DataError as error:
            raise ValueError(str(error)) from error

    def get_table(self, *, name):
        keys, time = self.identity[name]
        times = [time] if time else []
        return SimpleNamespace(primary_keys=[*keys, *times], timestamp_keys=times)

    def read_table(self, *, name):
        return self.backing.read(name)

    def create_training_set(self, *, df, feature_lookups, label, exclude_columns):
        lookups = [
            Lookup(
                each.table_name, tuple(each.lookup_key), each.timestamp_lookup_key,
                tuple(each.feature_names or ()), each.lookback_window, each._rename_outputs,
                each.default_values,
            )
            for each in feature_lookups
            if isinstance(each, engineering.FeatureLookup)
        ]  # fmt: skip
        taken = {new for each in lookups for new in map(each.output, each.features)}
        if taken & {*df.columns}:
            raise ValueError("DataFrame has columns that are features")
        functions = [
            FeatureFunction(each.udf_name, each.input_bindings, each.output_name)
            for each in feature_lookups
            if not isinstance(each, engineering.FeatureLookup)
        ]
        spec = TrainingSpec(df, lookups, functions, label or (), exclude_columns)
        try:
            frame = self.backing.training_set(spec)
        except DataError as error:
            raise ValueError(str(error)) from error
        return SimpleNamespace(load_df=lambda: frame, spec=spec)

    def log_model(
        self, *, model, artifact_path, flavor, training_set, pip_requirements, output_schema, **save
    ):
        """The model's folder is ours, whose loader reads features from the local online store."""
        new = NewModel(model, artifact_path, flavor, pip_requirements, output_schema, save=save)
        return self.backing.logged(new, training_set.spec)

    def get_online_store(self, *, name):
        return SimpleNamespace(name=name, state="AVAILABLE") if name in self.stores else None

    def create_online_store(self, *, name, capacity):
        self.stores.append(name)
        self._keep()
        return SimpleNamespace(name=name, state="STARTING")

    def publish_table(self, *, online_store, source_table_name, online_table_name, publish_mode):
        self.backing.publish(source_table_name)
        rows = self.spark.table(source_table_name)
        rows.write.format("delta").mode("overwrite").saveAsTable(online_table_name)
        return SimpleNamespace(pipeline_id="fills-the-online-table")
