"""Notebook 04: what a candidate would have been worth, and whether it may be released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from nextbest import registry, tables, use_cases
from nextbest.decisions.decide import Decider
from nextbest.decisions.eligibility import with_eligible
from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.gates import Measurement, Verdict, judge, verdict_table
from nextbest.evaluation.metrics import probability_metrics
from nextbest.evaluation.ope.estimators import Estimate, lift, value_of
from nextbest.evaluation.ope.log import LOGGING, LoggedBatch, Target
from nextbest.evaluation.ope.moments import Moments, fold
from nextbest.evaluation.ope.targets import target_probabilities
from nextbest.evaluation.ope.value import evaluate
from nextbest.evaluation.plots import value_figure, weight_figure
from nextbest.evaluation.recency import JUDGED_DAYS, newest_lift, world_moved
from nextbest.evaluation.release import (
    attempt,
    newest_gate,
    release_gates,
    release_measurements,
)
from nextbest.lifecycle import frames
from nextbest.lifecycle.holdout import digest, held_out_rows
from nextbest.lifecycle.outcome import Outcome
from nextbest.lifecycle.releasing import released
from nextbest.platforms import Platform, open_platform, open_releases
from nextbest.registry.approval import sign_verdict
from nextbest.settings import Settings
from nextbest.use_cases import UseCase

CANDIDATE, CHAMPION = "candidate", "champion"


@dataclass(frozen=True, eq=False)
class Trial:
    """A candidate on held-out decisions: its moments, beside the champion's if there is one."""

    version: str
    baseline: str
    against: str | None  # the champion's version, None: there is no other
    holdout: str  # digest of the rows
    moments: Moments
    values: Mapping[str, Estimate]
    calibration: Mapping[str, Measurement]
    moved: str  # why only the newest decisions counted, or nothing
    newest: Estimate | None  # the lift on the newest days, if they can speak for themselves


def validate_model(settings: Settings, spark: SparkSession) -> Outcome:
    """04: the candidate's policy is valued on held-out decisions; on evidence an alias moves."""
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    version = registry.version_at(settings.model, CANDIDATE)
    if version is None:
        raise DataError(f"{settings.model} has no candidate: run training_job first")
    candidate = frames.decider(settings, spark, version)
    trial, verdict = _judged(settings, platform, case, candidate)
    reached = _release(settings, spark, version)
    ending = "Gate passed" if verdict.passed else verdict.text
    return Outcome(
        "\n".join(
            [
                f"{settings.model} version {version} on {trial.moments.n:,} held-out decisions, "
                f"value per decision ({settings.confidence:.0%} intervals):",
                *([f"  {trial.moved}"] if trial.moved else []),
                *_without_limits(settings, spark),
                *_told(settings, trial),
                *_captured(settings, spark, case, candidate),
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


def judge_version(settings: Settings, spark: SparkSession, version: str) -> Verdict:
    """Try a version against the champion on the frozen holdout; its verdict is recorded.

    No alias moves. Raises DataError when there is no row to judge on.
    """
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    return _judged(settings, platform, case, frames.decider(settings, spark, version))[1]


def _judged(
    settings: Settings, platform: Platform, case: UseCase, candidate: Decider
) -> tuple[Trial, Verdict]:
    trial = _hold_trial(settings, platform, case, candidate)
    verdict = _judge(settings, trial)
    sign_verdict(settings.model, trial.version, open_releases(settings, platform.spark).who())
    registry.record_verdict(
        settings.model, trial.version, verdict.as_dict(),
        against=trial.against, as_of=settings.as_of, holdout=trial.holdout,
    )  # fmt: skip
    return trial, verdict


def _hold_trial(settings: Settings, platform: Platform, case: UseCase, candidate: Decider) -> Trial:
    """Fold decisions about customers held out; the candidate's own q̂ serves every target policy."""
    version = candidate.policy.version
    champion = registry.version_at(settings.model, CHAMPION)
    deciders = {CANDIDATE: candidate}
    if champion is not None and champion != version:
        deciders[CHAMPION] = frames.decider(settings, platform.spark, champion)
    baseline = CHAMPION if CHAMPION in deciders else LOGGING
    versions = [each.policy.version for each in deciders.values()]
    rows = held_out_rows(settings, platform, case, versions)
    told = {
        name: target_probabilities(
            rows, rows["eligible"], rows["treatment"], each, reference=candidate
        )
        for name, each in deciders.items()
    }
    newest = (rows["decided_at"].max() - rows["decided_at"]).dt.days < JUDGED_DAYS
    recent = moments = fold(_log(rows, told, newest))
    moved = ""
    if not newest.all():
        older = fold(_log(rows, told, ~newest))
        moved = world_moved(recent, older, CANDIDATE, baseline)
        moments = recent if moved else recent + older
    counted = newest if moved else pd.Series(True, rows.index)
    values = {name: value_of(moments, name, "dr", confidence=settings.confidence) for name in told}
    for policy, its in rows[counted].groupby("policy"):
        here = {CANDIDATE: Target(np.ones(len(its)))}
        mine = fold(LoggedBatch(its["value"], its["propensity"], here))
        values[f"{policy} policy"] = value_of(
            mine, LOGGING, "on_policy", confidence=settings.confidence
        )
    return Trial(
        version=version,
        baseline=baseline,
        against=champion if CHAMPION in deciders else None,
        holdout=digest(rows),
        moments=moments,
        values=values,
        calibration=_calibration(rows[counted], candidate),
        moved=moved,
        newest=newest_lift(recent, CANDIDATE, baseline),
    )


def _log(rows: pd.DataFrame, told: Mapping[str, pd.DataFrame], part: pd.Series) -> LoggedBatch:
    """The decisions of one part, with every decider as a target."""
    its = {name: each[part] for name, each in told.items()}
    targets = {
        name: Target(each["target_probability"], each["q_target"]) for name, each in its.items()
    }
    rows = rows[part]
    return LoggedBatch(rows["value"], rows["propensity"], targets, its[CANDIDATE]["q_logged"])


def _calibration(rows: pd.DataFrame, candidate: Decider) -> Mapping[str, Measurement]:
    """Are the probabilities of the first head true, where that head can happen at all?"""
    head = candidate.arbitration.heads[0]
    asked = rows[rows["treatment"] != "none"] if head.needs_contact else rows
    predicted = candidate.model.predict(asked)[f"p_{head.name}"]
    return probability_metrics(asked[head.kind], predicted)


def _judge(settings: Settings, trial: Trial) -> Verdict:
    measured = release_measurements(
        trial.moments, CANDIDATE, trial.calibration,
        baseline=trial.baseline, confidence=settings.confidence,
    )  # fmt: skip
    gates = release_gates(min_ess=settings.min_ess, min_lift=settings.min_lift)
    if trial.newest is not None:
        gates += (newest_gate(settings.min_lift),)
        measured["lift_newest"] = trial.newest.value
    return judge(gates, measured)


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


def _told(settings: Settings, trial: Trial) -> list[str]:
    """The values with their intervals and the paired lift, a line each."""
    lines = [
        f"  {name:<16} {each.value:.4f} [{each.low:.4f}, {each.high:.4f}]"
        for name, each in trial.values.items()
    ]
    over = attempt(
        lambda: lift(trial.moments, CANDIDATE, trial.baseline, confidence=settings.confidence)
    )
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
        for name in trial.moments.layout.policies
        for estimate in evaluate(trial.moments, name).estimates.values()
    ]
    logged = [{"policy": n, **vars(e)} for n, e in trial.values.items() if n.endswith(" policy")]
    return pd.DataFrame(rows + logged)


def _figures(trial: Trial) -> Mapping[str, Figure]:
    return {
        "Value per decision, with intervals": value_figure(trial.values),
        "Weights of the held-out decisions": weight_figure(trial.moments, CANDIDATE),
    }
