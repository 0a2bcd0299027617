"""Online feature stores: kept["online stores"]: name → capacity."""

from __future__ import annotations

from databricks.sdk.service.ml import FeatureStoreAPI

from workspace.routes import Refused, absent, route

STORES = "/api/2.0/feature-store/online-stores"
STORE = f"{STORES}/{{name}}"
TABLE = "/api/2.0/feature-store/online-tables/{online_table_name}"


@route("GET", STORES, FeatureStoreAPI.list_online_stores)
def stores(space, asked):
    """In pages of one."""
    names = sorted(space.kept["online stores"])
    at = int(asked.query.get("page_token", 0))
    page = [{"name": name, "capacity": "CU_1"} for name in names[at : at + 1]]
    more = {"next_page_token": str(at + 1)} if at + 1 < len(names) else {}
    return {"online_stores": page, **more}


@route("GET", STORE, FeatureStoreAPI.get_online_store)
def store(space, asked):
    name = asked.path["name"]
    if name not in space.kept["online stores"]:
        raise absent(f"Online store '{name}'")
    return {"name": name, "capacity": "CU_1", "state": "AVAILABLE"}


@route("POST", STORES, FeatureStoreAPI.create_online_store, body="online_store")
def create(space, asked):
    name = asked.body["name"]
    if name in space.kept["online stores"]:
        raise Refused(409, "RESOURCE_ALREADY_EXISTS", f"Online store '{name}' already exists.")
    space.kept["online stores"][name] = asked.body["capacity"]
    return {**asked.body, "state": "STARTING"}


@route("DELETE", STORE, FeatureStoreAPI.delete_online_store, dict)
def delete(space, asked):
    if space.kept["online stores"].pop(asked.path["name"], None) is None:
        raise absent(f"Online store '{asked.path['name']}'")
    return {}


@route("DELETE", TABLE, FeatureStoreAPI.delete_online_table, dict)
def delete_table(space, asked):
    if space.kept["tables"].pop(asked.path["online_table_name"], None) is None:
        raise absent(f"Table '{asked.path['online_table_name']}'")
    return {}
