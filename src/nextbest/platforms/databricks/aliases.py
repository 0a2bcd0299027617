"""Aliases in Unity Catalog, by MLflow's client."""

from __future__ import annotations

from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.registry.asking import asking

if TYPE_CHECKING:
    from mlflow import MlflowClient


class UnityCatalogAliases:
    """The aliases port, over MLflow as the environment (or `client`) points to it."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def of(self, model: str) -> Mapping[str, str]:
        """The versions of a model by alias."""
        with asking(f"model {model}", f"EXECUTE on {model}"):
            aliases = self._client.get_registered_model(model).aliases
        return {alias: str(version) for alias, version in aliases.items()}

    def move(self, model: str, alias: str, version: str | None) -> None:
        """Point an alias at a version, or take it away."""
        with asking(f"alias {model}@{alias}", f"being the owner of {model}"):
            if version is None:
                self._client.delete_registered_model_alias(model, alias)
            else:
                self._client.set_registered_model_alias(model, alias, version)

    def missing(self, model: str, version: str) -> str | None:
        """What keeps a version from being used, if anything does."""
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        absent = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
        with asking(f"{model} version {version}", f"EXECUTE on {model}"):
            try:
                status = self._client.get_model_version(model, version).status
            except MlflowException as error:
                if error.error_code in absent:
                    return "does not exist, or is hidden from who asks"
                raise
        if status != "READY":
            return f"is {status}: its files never arrived; train it anew"
        try:
            with (
                TemporaryDirectory() as folder,
                asking(f"{model} version {version}", f"EXECUTE on {model}"),
            ):
                place = f"models:/{model}/{version}/MLmodel"
                download_artifacts(artifact_uri=place, dst_path=folder)
        except PlatformError as error:
            return f"its files can't be read ({error}): restore them, or train it anew"
        return None
