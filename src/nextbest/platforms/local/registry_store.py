"""MLflow's sqlite registry, made to refuse what Unity Catalog refuses.

MLflow reaches it by the scheme `uc-local:` (entry point `mlflow.model_registry_store`). What is
refused follows `mlflow.store._unity_catalog.registry.rest_store` of MLflow 3.17: models without a
signature of inputs and outputs, stages, `get_latest_versions`, names that are not three-level,
filters on registered models, and orderings.
"""

from __future__ import annotations

from typing import Any, NoReturn

from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.prompt.registry_utils import add_prompt_filter_string
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

_BAD_CHARACTERS = set("./ ") | {chr(code) for code in range(32)} | {chr(127)}


class UnityCatalogLikeStore(SqlAlchemyStore):
    """A registry on sqlite with Unity Catalog's manners."""

    def create_registered_model(self, name: str, *rest: Any, **more: Any) -> Any:
        _require_three_levels(name)
        return super().create_registered_model(name, *rest, **more)

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None = None
    ) -> Any:
        if deployment_job_id is not None:
            _refuse_here("a deployment job", "`dbb run deployment_job --local` runs it")
        return super().update_registered_model(name, description)

    def rename_registered_model(self, name: str, new_name: str) -> Any:
        _require_three_levels(new_name)
        return super().rename_registered_model(name, new_name)

    def create_model_version(self, name: str, source: str, *rest: Any, **more: Any) -> Any:
        _require_three_levels(name)
        _require_signature(name, source)
        return super().create_model_version(name, source, *rest, **more)

    def get_latest_versions(self, name: str, stages: Any = None) -> NoReturn:
        _refuse("get_latest_versions", "read an alias: get_model_version_by_alias(name, alias)")

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool
    ) -> NoReturn:
        _refuse("transition_model_version_stage", "set an alias: set_registered_model_alias")

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Any = None,
        page_token: str | None = None,
    ) -> Any:
        # The client itself adds one condition, which keeps prompts out.
        if filter_string not in (None, "", add_prompt_filter_string(None)):
            _refuse("search_registered_models(filter_string=…)", "list all and filter in Python")
        if order_by:
            _refuse("search_registered_models(order_by=…)", "sort in Python")
        more = {} if max_results is None else {"max_results": max_results}
        return super().search_registered_models(
            filter_string=filter_string, page_token=page_token, **more
        )

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Any = None,
        page_token: str | None = None,
    ) -> Any:
        if order_by:
            _refuse("search_model_versions(order_by=…)", "sort in Python")
        more = {} if max_results is None else {"max_results": max_results}
        return super().search_model_versions(
            filter_string=filter_string, page_token=page_token, **more
        )


def open_store(store_uri: str, **_: Any) -> UnityCatalogLikeStore:
    """The registry behind `uc-local:///path/mlflow.db`."""
    return UnityCatalogLikeStore(store_uri.replace("uc-local:", "sqlite:", 1))


def _require_three_levels(name: str) -> None:
    parts = name.split(".")
    if len(parts) != 3 or any(not part or _BAD_CHARACTERS & set(part) for part in parts):
        raise MlflowException(
            f"'{name}' is no Unity Catalog model name: write CATALOG.SCHEMA.MODEL",
            error_code=INVALID_PARAMETER_VALUE,
        )


def _require_signature(name: str, source: str) -> None:
    folder = get_artifact_repository(source).download_artifacts("")
    signature = Model.load(folder).signature
    missing = [
        part for part in ("inputs", "outputs") if not (signature and getattr(signature, part))
    ]
    if missing:
        raise MlflowException(
            f"Unity Catalog refuses {name}: the model at {source} was logged without a signature "
            f"of its {' and '.join(missing)}. Log it with signature=infer_signature(X, y)",
            error_code=INVALID_PARAMETER_VALUE,
        )


def _refuse_here(what: str, instead: str) -> NoReturn:
    raise MlflowException(
        f"a registry on a laptop starts no job, so it can't be connected to {what}: {instead}",
        error_code=INVALID_PARAMETER_VALUE,
    )


def _refuse(what: str, instead: str) -> NoReturn:
    raise MlflowException(
        f"Unity Catalog has no {what}; {instead}", error_code=INVALID_PARAMETER_VALUE
    )
