"""Models with their feature spec and online tables, by Databricks' feature engineering client.

Written from the client's source (0.18.2, see ../shared/reference/databricks.md §2); not yet run
against a workspace.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.errors import DataError, PlatformError
from nextbest.platforms import NewModel, Published, TrainingSpec
from nextbest.platforms.databricks import training_sets

if TYPE_CHECKING:
    from databricks.feature_engineering import FeatureEngineeringClient
    from pyspark.sql import SparkSession

CAPACITY = "CU_1"
POLL_SECONDS = 15
PATIENCE_SECONDS = 3600
LONGEST_NAME = 63  # of an online store


def log(client: FeatureEngineeringClient, new: NewModel, spec: TrainingSpec) -> str:
    """Log a model with its spec in the active MLflow run and register it; the version's number.

    Raises DataError without an active run, and for a training set that doesn't fit.
    """
    import mlflow

    if mlflow.active_run() is None:
        raise DataError(f"{new.name}: no active MLflow run; log within mlflow.start_run()")
    told = {} if new.output_schema is None else {"output_schema": new.output_schema}
    logged = client.log_model(
        model=new.model,
        artifact_path="model",
        flavor=new.flavor,
        training_set=training_sets.training_set(client, spec),
        pip_requirements=list(new.pip_requirements),
        **told,
        **new.save,
    )
    # One call: a process that dies here leaves no version without its tags.
    return str(mlflow.register_model(logged.model_uri, new.name, tags=dict(new.tags)).version)


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
