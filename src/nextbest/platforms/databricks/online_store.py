"""Online tables, published by Databricks' feature engineering client.

Written from the client's source (0.18.2, see ../shared/reference/databricks.md §2) and
databricks-sdk's `pipelines`; not yet run against a workspace.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.errors import PlatformError
from nextbest.platforms import Published
from nextbest.platforms.databricks.asking import ask
from nextbest.platforms.databricks.refusals import refused

if TYPE_CHECKING:
    from databricks.feature_engineering import FeatureEngineeringClient
    from databricks.sdk import WorkspaceClient
    from pyspark.sql import SparkSession

CAPACITY = "CU_1"
POLL_SECONDS = 15
PATIENCE_SECONDS = 3600
LONGEST_NAME = 63  # of an online store
_NEVER = ("STOPPED", "DELETING")  # from which a store does not come up by itself
_ENDED = ("COMPLETED", "FAILED", "CANCELED")


def publish(
    client: FeatureEngineeringClient, workspace: WorkspaceClient, spark: SparkSession, table: str
) -> Published:
    """Bring a feature table into the schema's online store, which is created the first time.

    Only changed rows travel: the table's change data feed is turned on for that. The online table
    is TABLE_online. Raises DataError with what the client says when it refuses the table, and
    PlatformError when the store does not become available or the rows don't arrive.
    """
    online = online_name(table)
    with refused(f"{table} was not published"):
        spark.sql(
            f"ALTER TABLE {tables.quote(table)} "
            "SET TBLPROPERTIES (delta.enableChangeDataFeed = true)"
        )
        started = client.publish_table(
            online_store=_available(client, store_name(table)),
            source_table_name=table,
            online_table_name=online,
            publish_mode="TRIGGERED",
        )
        _arrived(workspace, started.pipeline_id, table)
    return Published(online)


def online_name(table: str) -> str:
    """The online table of a feature table."""
    return f"{table}_online"


def store_name(table: str) -> str:
    """The online store of a table's schema: letters, digits and hyphens, 63 at most."""
    catalog, schema, _ = table.split(".")
    name = re.sub(r"[^a-z0-9]+", "-", f"{catalog}-{schema}".lower()).strip("-")
    return name[:LONGEST_NAME].rstrip("-")


def _available(client: FeatureEngineeringClient, name: str) -> Any:
    store = client.get_online_store(name=name)
    if store is None:
        store = client.create_online_store(name=name, capacity=CAPACITY)
    limit = time.monotonic() + PATIENCE_SECONDS
    while _state(store) not in ("AVAILABLE", *_NEVER) and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
        store = client.get_online_store(name=name)
    if _state(store) != "AVAILABLE":
        raise PlatformError(
            f"online store {name} is {_state(store)}, not AVAILABLE (waited for at most "
            f"{PATIENCE_SECONDS // 60} minutes): start it, or wait until it is gone, see Compute > "
            "Database instances; then publish again"
        )
    return store


def _arrived(workspace: WorkspaceClient, pipeline_id: str, table: str) -> None:
    """Wait for the pipeline that the client only starts."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while (state := _update(workspace, pipeline_id)) not in _ENDED and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
    if state != "COMPLETED":
        raise PlatformError(
            f"{table} was not published: pipeline {pipeline_id} is {state}; see its page under "
            "Jobs & Pipelines, then publish again"
        )


def _update(workspace: WorkspaceClient, pipeline_id: str) -> str:
    """The state of the pipeline's newest update."""
    found = ask(
        lambda: workspace.pipelines.get(pipeline_id),
        f"pipeline {pipeline_id}, which fills the online table",
        "CAN VIEW on the pipeline",
    )
    newest = next(iter(found.latest_updates or ()), None)
    return "not started" if newest is None else _word(newest.state)


def _state(store: Any) -> str:
    return "gone" if store is None else _word(store.state)


def _word(state: Any) -> str:
    return getattr(state, "value", str(state))
