"""Models of Unity Catalog as the SDK asks for them.

kept["models"]: name → {"comment", "aliases": alias → number, "tags", "deployment_job_id"};
kept["versions"]: name → number → what MLflow told of the version (see unity_models).
"""

from __future__ import annotations

from databricks.sdk.service.catalog import ModelVersionsAPI, RegisteredModelsAPI

from workspace.routes import Refused, absent, route

MODELS = "/api/2.1/unity-catalog/models"
MODEL = f"{MODELS}/{{full_name}}"
VERSIONS = f"{MODEL}/versions"
VERSION = f"{VERSIONS}/{{version}}"


def _model(space, name):
    if name not in space.kept["models"]:
        raise absent(f"Model '{name}'")
    catalog, schema, short = name.split(".")
    where = {"catalog_name": catalog, "schema_name": schema, "name": short}
    told = {"comment": space.kept["models"][name].get("comment", "")}
    return {"full_name": name, **where, **told}


@route("GET", MODEL, RegisteredModelsAPI.get)
def get(space, asked):
    return _model(space, asked.path["full_name"])


@route("GET", MODELS, RegisteredModelsAPI.list)
def listed(space, asked):
    """In pages of one."""
    schema = f"{asked.query['catalog_name']}.{asked.query['schema_name']}."
    names = sorted(name for name in space.kept["models"] if name.startswith(schema))
    at = int(asked.query.get("page_token", 0))
    more = {"next_page_token": str(at + 1)} if at + 1 < len(names) else {}
    return {"registered_models": [_model(space, name) for name in names[at : at + 1]], **more}


@route("POST", MODELS, RegisteredModelsAPI.create)
def create(space, asked):
    name = ".".join(asked.body[each] for each in ("catalog_name", "schema_name", "name"))
    if name in space.kept["models"]:
        raise Refused(409, "RESOURCE_ALREADY_EXISTS", f"Model '{name}' already exists.")
    space.kept["models"][name] = {"comment": asked.body.get("comment", "")}
    return _model(space, name)


@route("PATCH", MODEL, RegisteredModelsAPI.update)
def update(space, asked):
    name = asked.path["full_name"]
    _model(space, name)
    space.kept["models"][name]["comment"] = asked.body["comment"]
    return _model(space, name)


@route("DELETE", MODEL, RegisteredModelsAPI.delete, dict)
def delete(space, asked):
    name = asked.path["full_name"]
    _model(space, name)
    if held := space.kept["versions"].get(name, {}):
        told = f"Function '{name}' is not empty. The function has {len(held)} model versions(s)"
        raise Refused(400, "INVALID_STATE", told)
    del space.kept["models"][name]
    space.kept["versions"].pop(name, None)
    return {}


@route("GET", VERSIONS, ModelVersionsAPI.list)
def versions(space, asked):
    name = asked.path["full_name"]
    _model(space, name)
    held = space.kept["versions"].get(name, {})
    return {"model_versions": [{"model_name": name, "version": each} for each in held]}


@route("DELETE", VERSION, ModelVersionsAPI.delete, dict)
def delete_version(space, asked):
    name, number = asked.path["full_name"], int(asked.path["version"])
    if number not in space.kept["versions"].get(name, {}):
        raise absent(f"Version {number} of '{name}'")
    del space.kept["versions"][name][number]
    return {}
