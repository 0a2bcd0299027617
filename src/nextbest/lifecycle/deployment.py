"""Notebooks 10 to 12, the tasks of deployment_job: a version is judged, approved, released."""

from __future__ import annotations

from pyspark.sql import SparkSession

from nextbest import registry
from nextbest.errors import DataError
from nextbest.lifecycle.outcome import Outcome
from nextbest.lifecycle.releasing import released
from nextbest.lifecycle.validation import judge_version
from nextbest.platforms import open_releases
from nextbest.registry.approval import approver, signed
from nextbest.settings import Settings

CANDIDATE, CHAMPION = "candidate", "champion"


def evaluate_version(settings: Settings, spark: SparkSession) -> Outcome:
    """09: judge `model_version` against the champion, unless it was today.

    Raises NotReleased when a gate did not pass.
    """
    model, version = settings.model, _version(settings)
    releases = open_releases(settings, spark)
    champion = releases.aliases.of(model).get(CHAMPION)
    recorded = registry.recorded_verdict(model, version)
    problem = registry.lacking(recorded, version, champion, settings.as_of)
    if problem or not signed(model, version):
        judge_version(settings, spark, version)
        recorded = registry.recorded_verdict(model, version)
    if recorded is None or not recorded.passed:
        told = recorded.text if recorded else problem
        raise registry.NotReleased(f"{model} version {version} is not released: {told}")
    return Outcome(
        f"{model} version {version} passed every gate on {recorded.as_of}: {recorded.text}",
        values={"version": version, "passed": "true"},
    )


def check_approval(settings: Settings, spark: SparkSession) -> Outcome:
    """10: somebody else than who had it judged approved the verdict; raises NotApproved."""
    model, version = settings.model, _version(settings)
    who = approver(model, version)
    return Outcome(f"{model} version {version} was approved by {who}", values={"approved_by": who})


def release_version(settings: Settings, spark: SparkSession) -> Outcome:
    """11: the approved version becomes staging, then champion; the endpoint follows.

    Raises NotApproved without approval, NotReleased without a verdict against today's champion.
    """
    model, version = settings.model, _version(settings)
    who = approver(model, version)
    releases = open_releases(settings, spark)
    recorded = registry.recorded_verdict(model, version)
    if recorded is None or not recorded.passed:
        raise registry.NotReleased(f"{model} version {version} has no whole verdict that passed")
    reached = released(settings, releases, version, recorded, CHAMPION, {"approved by": who})
    if reached != CHAMPION:
        raise registry.NotReleased(f"{model} version {version} is {reached}")
    return Outcome(
        f"{model} version {version}, approved by {who}, is {reached}", values={"version": version}
    )


def _version(settings: Settings) -> str:
    """The version that the run is about."""
    if settings.model_version != CANDIDATE:
        return settings.model_version
    version = registry.version_at(settings.model, CANDIDATE)
    if version is None:
        raise DataError(
            f"{settings.model} has no candidate: run training_job, or pass model_version=N"
        )
    return version
