"""Registered models by MLflow's client: their tags, and the job that starts for new versions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nextbest.registry.asking import asking

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel


def point_mlflow(workspace: WorkspaceClient) -> MlflowClient:
    """Let MLflow, in this process, use the workspace's registry and runs with its credentials."""
    from mlflow import MlflowClient

    profile = workspace.config.profile
    at = f"://{profile}" if profile else ""
    tracking, registry = f"databricks{at}", f"databricks-uc{at}"
    os.environ.update(
        MLFLOW_TRACKING_URI=tracking,
        MLFLOW_REGISTRY_URI=registry,
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",  # of one small file
    )
    if not profile:  # the SDK may have been told by the bundle; MLflow is by the environment
        os.environ["DATABRICKS_HOST"] = workspace.config.host
    return MlflowClient(tracking, registry)


def known(workspace: WorkspaceClient, model: str) -> RegisteredModel | None:
    """What Unity Catalog tells of a model (tags, deployment_job_id), or None: no such model."""
    from mlflow.exceptions import MlflowException

    client = point_mlflow(workspace)
    with asking(f"model {model}", f"EXECUTE on {model}"):
        try:
            return client.get_registered_model(model)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
                return None
            raise


def put_tag(workspace: WorkspaceClient, model: str, key: str, value: str) -> None:
    """Give a model the tag, whether it has the key already or not.

    The API for tags of schemas and volumes (tags.py) does not know models.
    """
    client = point_mlflow(workspace)
    right = f"APPLY TAG on {model}, and USE SCHEMA on its schema"
    with asking(f"tag '{key}' of model {model}", right):
        client.set_registered_model_tag(model, key, value)


def connect_deployment_job(workspace: WorkspaceClient, model: str, job: str) -> None:
    """Let Unity Catalog start the job for each new version of the model."""
    client = point_mlflow(workspace)
    right = f"being the owner of {model} and CAN MANAGE RUN on job {job}"
    with asking(f"deployment job {job} of model {model}", right):
        client.update_registered_model(model, deployment_job_id=job)
