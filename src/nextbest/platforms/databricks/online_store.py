"""Online tables, published by Databricks' feature engineering client.

Written from the client's source (0.18.2, see ../shared/reference/databricks.md §2) and
databricks-sdk's `pipelines`; not yet run against a workspace.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nextbest import tables
from nextbest.errors import PlatformError
from nextbest.platforms import Published
from nextbest.platforms.databricks.asking import ask
from nextbest.platforms.databricks.refusals import refused
from nextbest.platforms.databricks.waiting import wait

if TYPE_CHECKING:
    from databricks.feature_engineering import FeatureEngineeringClient
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.pipelines import UpdateStateInfo
    from pyspark.sql import SparkSession

CAPACITY = "CU_1"
STORE_RIGHT = "to be a workspace admin, or CAN MANAGE on the store"
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
    mend = "an online table takes a primary key without nulls, and the change data feed"
    right = f"MODIFY and SELECT on {table}, CREATE TABLE on its schema, CAN USE on the store"
    with refused(f"{table} was not published", mend, right):
        spark.sql(
            f"ALTER TABLE {tables.quote(table)} "
            "SET TBLPROPERTIES (delta.enableChangeDataFeed = true)"
        )
        store = _available(client, store_name(table))
        started = ask(
            lambda: client.publish_table(
                online_store=store,
                source_table_name=table,
                online_table_name=online,
                publish_mode="TRIGGERED",
            ),
            f"online table {online}",
            f"SELECT on {table}, CREATE TABLE in its schema, and CAN USE on the store",
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
    from databricks.sdk.errors import ResourceConflict

    what = f"online store {name}"

    def look() -> Any:
        return ask(lambda: client.get_online_store(name=name), what, STORE_RIGHT)

    store = look()
    if store is None:
        # It may be made in between: by another, or by our own request whose answer was lost.
        with suppress(ResourceConflict):
            ask(
                lambda: client.create_online_store(name=name, capacity=CAPACITY),
                what,
                STORE_RIGHT,
                passing=(ResourceConflict,),
            )
        store = look()
    store = wait(
        store,
        look,
        _state,
        lambda store: _state(store) in ("AVAILABLE", *_NEVER),
        what,
        POLL_SECONDS,
        PATIENCE_SECONDS,
    )
    if _state(store) != "AVAILABLE":
        raise PlatformError(
            f"online store {name} is {_state(store)}, not AVAILABLE (waited for at most "
            f"{PATIENCE_SECONDS // 60} minutes): start it, or wait until it is gone, see Compute > "
            "Database instances; then publish again"
        )
    return store


def _arrived(workspace: WorkspaceClient, pipeline_id: str, table: str) -> None:
    """Wait until the rows are there.

    Of a table that is online already the documentation says that its pipeline "stops after syncing
    the initial data and can be triggered later", not that publishing triggers it. So an update
    that has ended at the first look is taken for an earlier one, and another one is started.
    """
    from databricks.sdk.errors import ResourceConflict

    what = f"pipeline {pipeline_id}, which fills the online table"

    def look() -> UpdateStateInfo | None:
        at = ask(
            lambda: workspace.pipelines.get(pipeline_id),
            what,
            "CAN VIEW on the pipeline",
            just_made=True,
        )
        return next(iter(at.latest_updates or ()), None)

    first, earlier = look(), None
    if first is not None and _word(first.state) in _ENDED:
        earlier = first.update_id
        try:
            ask(
                lambda: workspace.pipelines.start_update(pipeline_id),
                what,
                "CAN RUN on the pipeline",
                passing=(ResourceConflict,),
            )
        except ResourceConflict as error:
            # One has begun in between, maybe by our own request whose answer was lost.
            first = look()
            if first is None or first.update_id == earlier:
                raise PlatformError(
                    f"{what}: it can't be started ({error}); publish again"
                ) from error

    def state(update: UpdateStateInfo | None) -> str:
        begun = update is not None and update.update_id != earlier
        return _word(update.state) if begun else "not started"

    ended = wait(
        first,
        look,
        state,
        lambda update: state(update) in _ENDED,
        what,
        POLL_SECONDS,
        PATIENCE_SECONDS,
    )
    if state(ended) != "COMPLETED":
        raise PlatformError(
            f"{table} was not published: pipeline {pipeline_id} is {state(ended)}; see its page "
            "under Jobs & Pipelines, then publish again"
        )


def _state(store: Any) -> str:
    return "gone" if store is None else _word(store.state)


def _word(state: Any) -> str:
    return getattr(state, "value", str(state))
