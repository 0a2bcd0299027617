"""Models with their feature spec and online tables, by Databricks' feature engineering client.

Written from the client's source (0.18.2, see ../shared/reference/databricks.md §2); not yet run
against a workspace.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.errors import DataError, PlatformError
from nextbest.platforms import FeatureFunction, Lookup, Published

if TYPE_CHECKING:
    from databricks.feature_engineering import FeatureEngineeringClient
    from databricks.ml_features.training_set import TrainingSet
    from mlflow.types import Schema
    from pyspark.sql import DataFrame, SparkSession

CAPACITY = "CU_1"
POLL_SECONDS = 15
PATIENCE_SECONDS = 3600
LONGEST_NAME = 63  # of an online store


def training_set(
    client: FeatureEngineeringClient,
    spine: DataFrame,
    lookups: Sequence[Lookup],
    functions: Sequence[FeatureFunction],
    label: str | Sequence[str] | None,
    exclude: Sequence[str],
) -> TrainingSet:
    """The client's own training set, which knows its feature spec."""
    from databricks.feature_engineering import FeatureFunction as ClientFunction
    from databricks.feature_engineering import FeatureLookup

    wanted = [
        FeatureLookup(
            table_name=lookup.table,
            lookup_key=list(lookup.keys),
            feature_names=list(lookup.features) or None,
            rename_outputs=dict(lookup.renames) or None,
            timestamp_lookup_key=lookup.timestamp,
            lookback_window=lookup.lookback,
            default_values=dict(lookup.defaults) or None,
        )
        for lookup in lookups
    ]
    computed = [
        ClientFunction(
            udf_name=function.function,
            input_bindings=dict(function.inputs),
            output_name=function.output,
        )
        for function in functions
    ]
    return client.create_training_set(
        df=spine,
        feature_lookups=[*wanted, *computed],
        label=label if label is None or isinstance(label, str) else list(label),
        exclude_columns=list(exclude),
    )


def log(
    client: FeatureEngineeringClient,
    model: Any,
    name: str,
    trained_on: TrainingSet,
    *,
    flavor: ModuleType,
    pip_requirements: Sequence[str],
    output_schema: Schema | None,
    tags: Mapping[str, str] | None,
    save: Mapping[str, Any],
) -> str:
    """Log a model with its spec in the active MLflow run and register it; the version's number.

    `save` goes to the flavor's save_model. Raises DataError without an active run.
    """
    import mlflow

    if mlflow.active_run() is None:
        raise DataError(f"{name}: no active MLflow run; log within mlflow.start_run()")
    told = {} if output_schema is None else {"output_schema": output_schema}
    logged = client.log_model(
        model=model,
        artifact_path="model",
        flavor=flavor,
        training_set=trained_on,
        pip_requirements=list(pip_requirements),
        **told,
        **save,
    )
    # One call: a process that dies here leaves no version without its tags.
    return str(mlflow.register_model(logged.model_uri, name, tags=dict(tags or {})).version)


def publish(client: FeatureEngineeringClient, spark: SparkSession, table: str) -> Published:
    """Bring a feature table into the schema's online store, which is created the first time.

    Only changed rows travel: the table's change data feed is turned on for that. The online table
    is TABLE_online. Raises PlatformError when the store does not become available.
    """
    spark.sql(
        f"ALTER TABLE {tables.quote(table)} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)"
    )
    online = f"{table}_online"
    client.publish_table(
        online_store=_available(client, store_name(table)),
        source_table_name=table,
        online_table_name=online,
        publish_mode="TRIGGERED",
    )
    return Published(online)


def store_name(table: str) -> str:
    """The online store of a table's schema: letters, digits and hyphens, 63 at most."""
    catalog, schema, _ = table.split(".")
    return re.sub(r"[^a-z0-9]+", "-", f"{catalog}-{schema}".lower()).strip("-")[:LONGEST_NAME]


def _available(client: FeatureEngineeringClient, name: str) -> Any:
    store = client.get_online_store(name=name)
    if store is None:
        store = client.create_online_store(name=name, capacity=CAPACITY)
    limit = time.monotonic() + PATIENCE_SECONDS
    while _state(store) != "AVAILABLE" and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
        store = client.get_online_store(name=name)
    if _state(store) != "AVAILABLE":
        raise PlatformError(
            f"online store {name} is {_state(store)}, not AVAILABLE, after "
            f"{PATIENCE_SECONDS // 60} minutes; see Compute > Database instances"
        )
    return store


def _state(store: Any) -> str:
    return "gone" if store is None else getattr(store.state, "value", str(store.state))
