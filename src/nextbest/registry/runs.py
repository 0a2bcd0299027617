"""The MLflow run that made a version: what it logged, how long it took."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextbest.registry.asking import asking, client

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

GONE = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")


@dataclass(frozen=True)
class VersionRun:
    """A version, its tags and aliases, and its run's metrics."""

    version: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...]
    run_id: str
    experiment_id: str
    started: dt.datetime
    metrics: Mapping[str, float]


def log_measures(model: str, version: str, measures: Mapping[str, float | None]) -> None:
    """Log what was measured of a version with its run; what is no finite number is left out.

    Letters that MLflow does not take in a metric's name become colons.
    """
    from mlflow.entities import Metric

    now = int(dt.datetime.now(dt.UTC).timestamp() * 1000)
    found = [
        Metric(re.sub(r"[^\w\-. :/]", ":", name), float(value), now, 0)
        for name, value in measures.items()
        if isinstance(value, int | float) and math.isfinite(value)
    ]
    with asking(f"metrics of {model} version {version}", "CAN EDIT on the experiment"):
        run = client().get_model_version(model, version).run_id
        client().log_batch(run, metrics=found)


def run_of(model: str, version: str) -> VersionRun | None:
    """The version with its run, or None when the run was deleted."""
    with asking(f"{model} version {version}", f"EXECUTE on {model}"):
        return _with_run(client().get_model_version(model, version), _aliases(model))


def version_runs(model: str) -> list[VersionRun]:
    """All versions whose runs are still there, oldest first; none where there is no model."""
    with asking(f"versions of {model}", f"EXECUTE on {model}, CAN READ on the experiment"):
        numbers = list(_numbers(model))
        names = _aliases(model) if numbers else {}
        found = [_with_run(client().get_model_version(model, each), names) for each in numbers]
    return sorted((each for each in found if each), key=lambda each: int(each.version))


def _numbers(model: str) -> Iterator[str]:
    """Every version, page after page."""
    token = None
    while True:
        page = client().search_model_versions(f"name='{model}'", page_token=token)
        yield from (str(each.version) for each in page)
        if not (token := page.token):
            return


def _aliases(model: str) -> Mapping[str, str]:
    """Alias to version; Unity Catalog tells them with the model, not with its versions."""
    found = client().get_registered_model(model).aliases
    return {alias: str(version) for alias, version in found.items()}


def _with_run(version: ModelVersion, aliases: Mapping[str, str]) -> VersionRun | None:
    from mlflow.exceptions import MlflowException

    try:
        run = client().get_run(version.run_id)
    except MlflowException as error:
        if error.error_code in GONE:
            return None
        raise
    if run.info.lifecycle_stage == "deleted":
        return None
    return VersionRun(
        version=str(version.version),
        tags=dict(version.tags),
        aliases=tuple(sorted(a for a, at in aliases.items() if at == str(version.version))),
        run_id=run.info.run_id,
        experiment_id=run.info.experiment_id,
        started=dt.datetime.fromtimestamp(run.info.start_time / 1000, dt.UTC),
        metrics=dict(run.data.metrics),
    )
