"""Models in Unity Catalog as MLflow's `databricks-uc` client asks for them.

What is kept: see registered_models. Files of a version go through the Files API. It refuses what
Unity Catalog refuses: names that aren't of three levels, aliases like v1, and versions that are not
there.
"""

from __future__ import annotations

import re

from mlflow.protos import databricks_uc_registry_messages_pb2 as messages
from mlflow.protos.databricks_uc_registry_service_pb2 import UcModelRegistryService
from mlflow.utils.rest_utils import _REST_API_PATH_PREFIX, extract_api_info_for_service

from workspace.routes import Refused, absent, route

PLACES = extract_api_info_for_service(UcModelRegistryService, _REST_API_PATH_PREFIX)


def asked_by(message):
    """Declare the endpoint of a message."""
    template, method = PLACES[message]
    return route(method, template, message, client="mlflow")


def _given(asked):
    return {**asked.query, **(asked.body or {})}


def _model(space, asked):
    name = _given(asked)["name"]
    if len(name.split(".")) != 3:
        told = f"'{name}' is not a valid name: specify all three levels, catalog.schema.model"
        raise Refused(400, "INVALID_PARAMETER_VALUE", told)
    if name not in space.kept["models"]:
        raise absent(f"Routine or Model '{name}'")
    return name, space.kept["models"][name], space.kept["versions"].setdefault(name, {})


def _version(space, asked):
    name, _, versions = _model(space, asked)
    number = int(_given(asked)["version"])
    if number not in versions:
        raise absent(f"Model version '{name}' version {number}")
    return versions[number]


@asked_by(messages.CreateRegisteredModelRequest)
def create_model(space, asked):
    name = asked.body["name"]
    if len(name.split(".")) != 3:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "Please specify all three levels")
    if name in space.kept["models"]:
        raise Refused(409, "RESOURCE_ALREADY_EXISTS", f"Registered model '{name}' already exists")
    space.kept["models"][name] = {}
    return {"registered_model": {"name": name}}


@asked_by(messages.GetRegisteredModelRequest)
def get_model(space, asked):
    name, model, _ = _model(space, asked)
    known = model.get("aliases", {}).items()
    aliases = [{"alias": alias, "version": str(number)} for alias, number in known]
    tags = [{"key": key, "value": value} for key, value in model.get("tags", {}).items()]
    job = {key: model[key] for key in ("deployment_job_id",) if key in model}
    return {"registered_model": {"name": name, "aliases": aliases, "tags": tags, **job}}


@asked_by(messages.UpdateRegisteredModelRequest)
def update_model(space, asked):
    name, model, _ = _model(space, asked)
    model |= {key: asked.body[key] for key in ("deployment_job_id",) if key in asked.body}
    return {"registered_model": {"name": name}}


@asked_by(messages.SetRegisteredModelTagRequest)
def tag_model(space, asked):
    _, model, _ = _model(space, asked)
    model.setdefault("tags", {})[asked.body["key"]] = asked.body["value"]
    return {}


@asked_by(messages.CreateModelVersionRequest)
def create_version(space, asked):
    name, _, versions = _model(space, asked)
    number = max(versions, default=0) + 1
    kept = ("name", "source", "run_id", "description", "tags", "model_id")
    versions[number] = {
        **{key: asked.body[key] for key in kept if key in asked.body},
        "version": str(number),
        "status": "PENDING_REGISTRATION",
        "storage_location": f"s3://bucket/{name}/{number}",
    }
    return {"model_version": versions[number]}


@asked_by(messages.FinalizeModelVersionRequest)
def finalize_version(space, asked):
    version = _version(space, asked)
    folder = f"/Models/{version['name'].replace('.', '/')}/{version['version']}/"
    if f"{folder}MLmodel" not in space.kept["files"]:
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"No MLmodel file in {folder}")
    version["status"] = "READY"
    return {"model_version": version}


@asked_by(messages.GetModelVersionRequest)
def get_version(space, asked):
    return {"model_version": _version(space, asked)}


@asked_by(messages.SearchModelVersionsRequest)
def search_versions(space, asked):
    """Of one model, newest first, in pages of one; tags are not told, as Databricks does."""
    name = re.fullmatch(r"name\s*=\s*'([^']+)'", asked.query["filter"])[1]
    versions = list(space.kept["versions"].get(name, {}).values())[::-1]
    at = int(asked.query.get("page_token", 0))
    told = [{key: each[key] for key in each if key != "tags"} for each in versions[at : at + 1]]
    more = {"next_page_token": str(at + 1)} if at + 1 < len(versions) else {}
    return {"model_versions": told, **more}


@asked_by(messages.SetModelVersionTagRequest)
def tag_version(space, asked):
    version = _version(space, asked)
    others = [tag for tag in version.get("tags", []) if tag["key"] != asked.body["key"]]
    version["tags"] = [*others, {"key": asked.body["key"], "value": asked.body["value"]}]
    return {}


@asked_by(messages.SetRegisteredModelAliasRequest)
def set_alias(space, asked):
    version, (_, model, _) = _version(space, asked), _model(space, asked)
    alias = asked.body["alias"]
    if re.fullmatch(r"v\d+", alias) or alias.lower() == "latest":
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"Alias '{alias}' is reserved.")
    model.setdefault("aliases", {})[alias] = int(version["version"])
    return {}


@asked_by(messages.DeleteRegisteredModelAliasRequest)
def delete_alias(space, asked):
    _, model, _ = _model(space, asked)
    model.get("aliases", {}).pop(asked.body["alias"], None)
    return {}


@asked_by(messages.GetModelVersionByAliasRequest)
def by_alias(space, asked):
    _, model, versions = _model(space, asked)
    alias = asked.query["alias"]
    if alias not in model.get("aliases", {}):
        raise absent(f"Alias '{alias}'")
    return {"model_version": versions[model["aliases"][alias]]}


@asked_by(messages.IsDatabricksSdkModelsArtifactRepositoryEnabledRequest)
def by_files_api(space, asked):
    return {"is_databricks_sdk_models_artifact_repository_enabled": True}


@asked_by(messages.EmitModelVersionLineageRequest)
def emit_lineage(space, asked):
    _version(space, asked)
    return {}
