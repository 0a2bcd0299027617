"""SQL warehouses: a statement waits for two looks, then its rows come in chunks of two.

kept["warehouses"]: id → name, of those that who asks may use; kept["sql"]["engine"]: (statement,
parameters) → (names, rows), which raises what the warehouse would say.
"""

from __future__ import annotations

from databricks.sdk.service.sql import StatementExecutionAPI, WarehousesAPI

from workspace.routes import Refused, absent, route

WAREHOUSES = "/api/2.0/sql/warehouses"
STATEMENTS = "/api/2.0/sql/statements"
STATEMENT = f"{STATEMENTS}/{{statement_id}}"
CHUNK = f"{STATEMENT}/result/chunks/{{chunk_index}}"
SIZE = 2


@route("GET", WAREHOUSES, WarehousesAPI.list)
def listed(space, asked):
    """In pages of one."""
    found = sorted(space.kept["warehouses"].items())
    at = int(asked.query.get("page_token", 0))
    page = [{"id": key, "name": name} for key, name in found[at : at + 1]]
    more = {"next_page_token": str(at + 1)} if at + 1 < len(found) else {}
    return {"warehouses": page, **more}


@route("POST", STATEMENTS, StatementExecutionAPI.execute_statement)
def execute(space, asked):
    if asked.body["warehouse_id"] not in space.kept["warehouses"]:
        raise absent(f"Warehouse {asked.body['warehouse_id']}")
    number = f"s{len(space.kept['statements']) + 1}"
    space.kept["statements"][number] = {**asked.body, "looks": 0}
    return {"statement_id": number, "status": {"state": "PENDING"}}


def _statement(space, asked):
    if asked.path["statement_id"] not in space.kept["statements"]:
        raise absent(f"Statement {asked.path['statement_id']}")
    return space.kept["statements"][asked.path["statement_id"]]


@route("GET", STATEMENT, StatementExecutionAPI.get_statement)
def get(space, asked):
    number, found = asked.path["statement_id"], _statement(space, asked)
    found["looks"] += 1
    if found["looks"] == 1:
        return {"statement_id": number, "status": {"state": "RUNNING"}}
    given = {each["name"]: each.get("value") for each in found.get("parameters", [])}
    try:
        names, found["rows"] = space.kept["sql"]["engine"](found["statement"], given)
    except Refused as error:
        failed = {"error_code": "BAD_REQUEST", "message": str(error)}
        return {"statement_id": number, "status": {"state": "FAILED", "error": failed}}
    columns = [{"name": name, "position": at, "type_name": "STRING"}
               for at, name in enumerate(names)]  # fmt: skip
    return {
        "statement_id": number,
        "status": {"state": "SUCCEEDED"},
        "manifest": {
            "format": "JSON_ARRAY",
            "schema": {"column_count": len(columns), "columns": columns},
            "total_row_count": len(found["rows"]),
            "truncated": bool(space.kept["sql"].get("truncates")),
        },
        "result": _chunk(found, 0),
    }


def _chunk(found, index):
    rows = found["rows"][index * SIZE : (index + 1) * SIZE]
    data = [[None if value is None else str(value) for value in row] for row in rows]
    more = {"next_chunk_index": index + 1} if (index + 1) * SIZE < len(found["rows"]) else {}
    return {"chunk_index": index, "row_count": len(rows), "data_array": data, **more}


@route("GET", CHUNK, StatementExecutionAPI.get_statement_result_chunk_n)
def chunk(space, asked):
    return _chunk(_statement(space, asked), int(asked.path["chunk_index"]))
