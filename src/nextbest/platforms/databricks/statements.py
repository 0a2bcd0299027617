"""SQL on a warehouse of the workspace, by the Statement Execution API, from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.asking import ask
from nextbest.platforms.databricks.waiting import wait

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.sql import StatementResponse

POLL_SECONDS = 2
PATIENCE_SECONDS = 900  # a warehouse that stands still has to start first
_GOING_ON = ("PENDING", "RUNNING")

Row = dict[str, str | None]


def choose_warehouse(workspace: WorkspaceClient, named: str | None) -> str:
    """The id of the warehouse that was named, there or in DATABRICKS_WAREHOUSE_ID.

    Raises PlatformError that lists those of the workspace where none was.
    """
    if chosen := named or workspace.config.warehouse_id:
        return chosen
    found = ask(lambda: list(workspace.warehouses.list()), "SQL warehouses", "workspace access")
    told = ", ".join(f"{each.id} ({each.name})" for each in found)
    raise PlatformError(
        "no SQL warehouse was named: give --warehouse ID or set DATABRICKS_WAREHOUSE_ID; "
        + (f"you may use {told}" if told else "you may use none: it needs CAN USE on one")
    )


def rows_of(
    workspace: WorkspaceClient,
    warehouse: str,
    statement: str,
    parameters: Mapping[str, str | None],
    right: str,
) -> list[Row]:
    """The rows of a statement that may be repeated; values are text as the API gives it, or None.

    `parameters` fill its :names. Raises PlatformError that says what the warehouse said and the
    `right` that the query needs, for a result that is too large, and when it takes too long.
    """
    from databricks.sdk.service.sql import (
        ExecuteStatementRequestOnWaitTimeout,
        StatementParameterListItem,
    )

    execution, what = workspace.statement_execution, f"query on warehouse {warehouse}"
    given = [StatementParameterListItem(name, value=value) for name, value in parameters.items()]
    at = ask(
        lambda: execution.execute_statement(
            statement,
            warehouse,
            parameters=given,
            wait_timeout="30s",
            on_wait_timeout=ExecuteStatementRequestOnWaitTimeout.CONTINUE,
        ),
        what,
        f"CAN USE on the warehouse, {right}",
    )
    number = at.statement_id
    own = "to be asked by who started it"
    at = wait(
        at,
        lambda: ask(lambda: execution.get_statement(number), what, own, just_made=True),
        _state,
        lambda at: _state(at) not in _GOING_ON,
        what,
        POLL_SECONDS,
        PATIENCE_SECONDS,
    )
    if _state(at) in _GOING_ON:
        raise PlatformError(
            f"{what}: it has not ended in {PATIENCE_SECONDS // 60} minutes; see it in the query "
            "history of the workspace"
        )
    if _state(at) != "SUCCEEDED":
        error = at.status.error if at.status else None
        told = (error.message if error else "") or "no message"
        raise PlatformError(f"{what}: it is {_state(at)} ({told}); it needs {right}")
    if at.manifest.truncated:
        raise PlatformError(f"{what}: its result is too large; ask for fewer days")
    names = [column.name for column in at.manifest.schema.columns]
    found, chunk = [], at.result
    while chunk is not None:
        found += [dict(zip(names, row, strict=True)) for row in chunk.data_array or ()]
        following = chunk.next_chunk_index
        chunk = None
        if following is not None:
            chunk = ask(
                lambda at=following: execution.get_statement_result_chunk_n(number, at),
                what,
                own,
                just_made=True,
            )
    return found


def _state(at: StatementResponse) -> str:
    return at.status.state.value if at.status and at.status.state else "in no state"
