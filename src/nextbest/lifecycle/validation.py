"""Notebook 04: what a candidate would have been worth, and whether it may be released."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from nextbest import registry, tables, use_cases
from nextbest.decisions.decide import Decider
from nextbest.decisions.eligibility import with_eligible
from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.gates import verdict_table
from nextbest.evaluation.ope.estimators import Estimate
from nextbest.evaluation.ope.value import evaluate
from nextbest.evaluation.plots import value_figure, weight_figure
from nextbest.evaluation.release.contest import CANDIDATE
from nextbest.evaluation.release.trial import Trial
from nextbest.lifecycle import frames
from nextbest.lifecycle.judging import judge_version, judged
from nextbest.lifecycle.outcome import Outcome
from nextbest.lifecycle.releasing import released
from nextbest.platforms import open_platform, open_releases
from nextbest.settings import Settings
from nextbest.use_cases import UseCase

__all__ = ["judge_version", "validate_model"]


def validate_model(settings: Settings, spark: SparkSession) -> Outcome:
    """04: the candidate's policy is valued on held-out decisions; on evidence an alias moves."""
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    version = registry.version_at(settings.model, CANDIDATE)
    if version is None:
        raise DataError(f"{settings.model} has no candidate: run training_job first")
    candidate, trial, changed = judged(settings, platform, case, version)
    verdict = trial.verdict
    registry.log_measures(settings.model, version, _measures(trial))
    reached = _release(settings, spark, version)
    ending = "Gate passed" if verdict.passed else verdict.text
    captured = (
        []
        if isinstance(candidate, NextBestError)
        else _captured(settings, spark, case, candidate.decider)
    )
    return Outcome(
        "\n".join(
            [
                f"{settings.model} version {version} on {trial.decisions:,} held-out decisions, "
                f"value per decision ({settings.confidence:.0%} intervals):",
                *(f"  {each}" for each in (trial.moved, changed) if each),
                *_without_limits(settings, spark),
                *_told(trial),
                *captured,
                f"  {ending}: version {version} is {reached}.",
            ]
        ),
        {
            "Value per decision, by every estimator": _table(trial),
            "The gate": pd.DataFrame(verdict_table(verdict)),
            **_figures(trial),
        },
        {"passed": str(verdict.passed).lower(), "version": version},
    )


def _measures(trial: Trial) -> dict[str, float | None]:
    """The value on held-out decisions, and what the gates looked at, by their metrics' names."""
    found: dict[str, float | None] = {
        str(each["metric"]): each["value"] for each in verdict_table(trial.verdict)
    }
    for name, each in (("value", trial.values.get(CANDIDATE)), ("lift", trial.over)):
        if isinstance(each, Estimate):
            found |= {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
    return found


def _release(settings: Settings, spark: SparkSession, version: str) -> str:
    """Move the aliases that the verdict and the target allow; how far the version came."""
    recorded = registry.recorded_verdict(settings.model, version)
    if recorded is None or not recorded.passed:
        return "not released"
    return released(
        settings, open_releases(settings, spark), version, recorded, settings.release_to
    )


def _captured(
    settings: Settings, spark: SparkSession, case: UseCase, candidate: Decider
) -> list[str]:
    """Where the truth is known: which share of the oracle's gap the policies capture today."""
    if case.captured is None:
        return []
    today = tables.read(spark, settings.table("customer_features")).where(
        F.col("as_of") == frames.midnight(settings)
    )
    actions = frames.actions_frame(settings, spark)
    customers = with_eligible(today, actions, settings.as_of).toPandas()
    eligible = candidate.treatments.mask(customers["eligible"])
    scores = candidate.scores(customers, eligible)
    chances = candidate.policy.probabilities(scores.score, eligible, deviation=scores.deviation)
    log = tables.read(spark, settings.table("decisions"))
    shares = case.captured(settings, log, customers, candidate.treatments, chances)
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return [f"  share of the oracle's gap captured, known in a simulation: {told}"]


def _without_limits(settings: Settings, spark: SparkSession) -> list[str]:
    """What a row of a log can't show: how customers of a day compete for what is limited."""
    limits = frames.day_limits(settings, frames.actions_frame(settings, spark))
    return [f"  valued without the limits of a day ({limits.text})"] if len(limits) else []


def _told(trial: Trial) -> list[str]:
    """The values with their intervals and the paired lift, a line each."""
    lines = [
        f"  {name:<16} {each.value:.4f} [{each.low:.4f}, {each.high:.4f}]"
        for name, each in trial.values.items()
    ]
    over = trial.over
    if isinstance(over, NextBestError):
        return [*lines, f"  no lift over {trial.baseline}: {over}"]
    return [
        *lines,
        f"  lift over {trial.baseline}: {over.value:+.4f} [{over.low:+.4f}, {over.high:+.4f}]",
    ]


def _table(trial: Trial) -> pd.DataFrame:
    """Every estimator of every target policy, and the logging policies' own means."""
    rows = [
        {"policy": name, **vars(estimate)}
        for name in (trial.moments.layout.policies if trial.moments else ())
        for estimate in evaluate(trial.moments, name).estimates.values()
    ]
    logged = [{"policy": n, **vars(e)} for n, e in trial.values.items() if n.endswith(" policy")]
    return pd.DataFrame(rows + logged)


def _figures(trial: Trial) -> Mapping[str, Figure]:
    if trial.moments is None:
        return {}
    return {
        "Value per decision, with intervals": value_figure(trial.values),
        "Weights of the held-out decisions": weight_figure(trial.moments, CANDIDATE),
    }
