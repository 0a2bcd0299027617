"""The serving port over Databricks Model Serving: an endpoint is created, later updated.

Written against databricks-sdk's `serving_endpoints`; not yet run against a workspace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nextbest.errors import PlatformError
from nextbest.platforms import Endpoint
from nextbest.platforms.databricks.asking import ask, look
from nextbest.platforms.databricks.waiting import wait

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.serving import ServingEndpointDetailed

POLL_SECONDS = 10
PATIENCE_SECONDS = 3600  # its container is built first
GOING_ON = "IN_PROGRESS"


class DatabricksServing:
    """Endpoints of the workspace."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def deploy(self, name: str, model_name: str, version: str) -> Endpoint:
        """Serve a model version under this name and wait until it answers.

        Where it is served already nothing is changed. Raises PlatformError when the workspace
        refuses or the endpoint does not come up, naming it and the right that is needed.
        """
        from databricks.sdk.errors import NotFound, ResourceConflict
        from databricks.sdk.service.serving import EndpointCoreConfigInput, ServedEntityInput

        endpoints = self._workspace.serving_endpoints
        what = f"endpoint {name} for {model_name} version {version}"
        right = f"CAN MANAGE on the endpoint and EXECUTE on {model_name}"
        entity = ServedEntityInput(
            name="live",
            entity_name=model_name,
            entity_version=version,
            workload_size="Small",
            scale_to_zero_enabled=True,
        )
        told = Endpoint(name, model_name, version, f"/serving-endpoints/{name}/invocations")
        try:
            ask(lambda: endpoints.get(name), what, right, passing=(NotFound,))
        except NotFound:
            config = EndpointCoreConfigInput(name=name, served_entities=[entity])
            # Made in between: by another, or by our own request whose answer was lost.
            with suppress(ResourceConflict):
                ask(
                    lambda: endpoints.create(name=name, config=config),
                    what,
                    right,
                    passing=(ResourceConflict,),
                )
        there = _settled(endpoints, name, what, right)
        if not _serves(there, model_name, version):
            # A conflict: it is being updated, maybe by our own request whose answer was lost.
            with suppress(ResourceConflict):
                ask(
                    lambda: endpoints.update_config(name=name, served_entities=[entity]),
                    what,
                    right,
                    passing=(ResourceConflict,),
                )
            there = _settled(endpoints, name, what, right)
        if not _serves(there, model_name, version):
            change = _change(there)
            told = f"still {change}" if change == GOING_ON else f"ended {change}"
            raise PlatformError(
                f"{what}: the change {told}, and it does not answer by this version; see its "
                "events under Serving, then run this again"
            )
        return told

    def served(self, name: str) -> Endpoint | None:
        """The model version that the endpoint is to serve, or None where there is no endpoint.

        One that serves several, or is being changed, counts for what it will be.
        """
        call = self._workspace.serving_endpoints.get
        there = look(lambda: call(name), f"endpoint {name}", "CAN VIEW on the endpoint")
        config = there and (there.pending_config or there.config)
        entities = (config.served_entities if config else None) or []
        if len(entities) != 1 or not entities[0].entity_name:
            return None
        entity = entities[0]
        url = f"/serving-endpoints/{name}/invocations"
        return Endpoint(name, entity.entity_name, entity.entity_version or "", url)

    def query(self, endpoint: Endpoint, records: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Ask the endpoint for each record; raises PlatformError when it does not answer."""
        rows = [dict(record) for record in records]
        answer = ask(
            lambda: self._workspace.serving_endpoints.query(endpoint.name, dataframe_records=rows),
            f"endpoint {endpoint.name}",
            "CAN QUERY on the endpoint",
        )
        return list(answer.predictions or [])


def _settled(endpoints: Any, name: str, what: str, right: str) -> ServingEndpointDetailed:
    """The endpoint once nothing about it is being changed, whether that went well or not."""

    def look() -> ServingEndpointDetailed:
        return ask(lambda: endpoints.get(name), what, right, just_made=True)

    return wait(
        look(),
        look,
        _change,
        lambda endpoint: _change(endpoint) != GOING_ON,
        what,
        POLL_SECONDS,
        PATIENCE_SECONDS,
    )


def _change(endpoint: ServingEndpointDetailed) -> str:
    """How the last change of its configuration stands."""
    change = endpoint.state.config_update if endpoint.state else None
    return change.value if change else "in no state"


def _serves(endpoint: ServingEndpointDetailed, model_name: str, version: str) -> bool:
    """Whether it answers, and by this version."""
    if not endpoint.state or endpoint.state.ready is None or endpoint.state.ready.value != "READY":
        return False
    entities = (endpoint.config.served_entities if endpoint.config else None) or []
    return [(e.entity_name, e.entity_version) for e in entities] == [(model_name, version)]
