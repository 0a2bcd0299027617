"""The serving port over Databricks Model Serving: an endpoint is created, later updated.

Written against databricks-sdk's `serving_endpoints`; not yet run against a workspace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nextbest.platforms import Endpoint

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


class DatabricksServing:
    """Endpoints of the workspace."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def deploy(self, name: str, model_name: str, version: str) -> Endpoint:
        """Serve a model version under this name and wait until it answers."""
        from databricks.sdk.errors import NotFound
        from databricks.sdk.service.serving import (
            EndpointCoreConfigInput,
            ServedEntityInput,
        )

        endpoints = self._workspace.serving_endpoints
        entity = ServedEntityInput(
            name="live",
            entity_name=model_name,
            entity_version=version,
            workload_size="Small",
            scale_to_zero_enabled=True,
        )
        try:
            endpoints.get(name)
        except NotFound:
            config = EndpointCoreConfigInput(name=name, served_entities=[entity])
            endpoints.create_and_wait(name=name, config=config)
        else:
            endpoints.update_config_and_wait(name=name, served_entities=[entity])
        return Endpoint(name, model_name, version, f"/serving-endpoints/{name}/invocations")

    def query(self, endpoint: Endpoint, records: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Ask the endpoint for each record."""
        answer = self._workspace.serving_endpoints.query(
            endpoint.name, dataframe_records=[dict(record) for record in records]
        )
        return list(answer.predictions or [])
