"""Online feature stores."""

from __future__ import annotations

from databricks.sdk.service.ml import FeatureStoreAPI

from workspace.routes import route

STORES = "/api/2.0/feature-store/online-stores"


@route("GET", STORES, FeatureStoreAPI.list_online_stores)
def stores(space, asked):
    """In pages of one."""
    names = sorted(space.kept["online stores"])
    at = int(asked.query.get("page_token", 0))
    page = [{"name": name, "capacity": "CU_1"} for name in names[at : at + 1]]
    more = {"next_page_token": str(at + 1)} if at + 1 < len(names) else {}
    return {"online_stores": page, **more}
