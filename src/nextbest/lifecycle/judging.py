"""A registered version against today's champion: what a verdict needs, and its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

from nextbest import registry, tables, use_cases
from nextbest.errors import NextBestError, PlatformError
from nextbest.evaluation.attempting import attempt
from nextbest.evaluation.gates import Verdict
from nextbest.evaluation.release.contest import CHAMPION, Contender, Contest, Terms
from nextbest.evaluation.release.page import verdict_page
from nextbest.evaluation.release.trial import Trial, hold_trial
from nextbest.lifecycle import frames
from nextbest.lifecycle.holdout import Frozen, frozen_holdout
from nextbest.platforms import Platform, open_platform, open_releases
from nextbest.registry.approval import sign_verdict
from nextbest.settings import Settings
from nextbest.training.splits import held_out
from nextbest.use_cases import UseCase

T = TypeVar("T")


def judge_version(settings: Settings, spark: SparkSession, version: str) -> Verdict:
    """Try a version against the champion on the frozen holdout; its verdict is recorded.

    No alias moves. What can't be had (a model's files, a row to judge on) is a gate not passed;
    raises PlatformError where the registry can't be asked.
    """
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    return judged(settings, platform, case, version)[1].verdict


def judged(
    settings: Settings, platform: Platform, case: UseCase, version: str
) -> tuple[Contender | NextBestError, Trial, str]:
    """The version, its trial, and how the tables have changed since the rows were frozen."""
    champion = registry.version_at(settings.model, CHAMPION)
    against = champion if champion != version else None
    versions = [version] if against is None else [version, against]
    holdout = _unless_asking(lambda: frozen_holdout(settings, platform, case, versions))
    candidate = _contender(settings, platform.spark, version)
    other = None if against is None else _contender(settings, platform.spark, against)
    contest = _contest(settings, platform, versions, holdout, candidate, other)
    trial = hold_trial(contest, case.gates, against)
    told = {
        **trial.verdict.as_dict(),
        "model": settings.model,
        "version": version,
        "against": against or registry.LOGGING,
        "as_of": settings.as_of.isoformat(),
        "holdout": trial.holdout,
        "decisions": trial.decisions,
        "unasked": dict(trial.unasked),
    }
    sign_verdict(settings.model, version, open_releases(settings, platform.spark).who())
    registry.record_verdict(
        settings.model, version, told,
        against=against, as_of=settings.as_of, holdout=trial.holdout,
        page=verdict_page(trial, settings.model, version, settings.as_of),
    )  # fmt: skip
    return candidate, trial, holdout.changed if isinstance(holdout, Frozen) else ""


def _contest(
    settings: Settings,
    platform: Platform,
    versions: list[str],
    holdout: Frozen | NextBestError,
    candidate: Contender | NextBestError,
    champion: Contender | NextBestError | None,
) -> Contest:
    table = tables.read(platform.spark, settings.table("customer_features"))
    kinds = {name: kind for name, kind in table.dtypes if name not in frames.KEYS}
    terms = Terms(settings.as_of, settings.confidence, settings.min_lift, settings.min_ess)
    if isinstance(holdout, NextBestError):
        return Contest(candidate, champion, holdout, "", 0, {}, kinds, terms)
    shares = [registry.holdout_share(settings.model, each) for each in versions]
    nulls = {name: float(holdout.learned[name].isna().mean()) for name in holdout.learned}
    return Contest(
        candidate,
        champion,
        holdout.rows,
        holdout.digest,
        learned_from(holdout.rows, shares),
        nulls,
        kinds,
        terms,
    )


def learned_from(rows: pd.DataFrame, shares: Sequence[float]) -> int:
    """How many rows are of customers whom a version that held out one of the shares learned from.

    It does not trust how the rows were chosen.
    """
    seen = [~held_out(rows["customer_id"], share) for share in shares]
    return int(np.any(seen, axis=0).sum())


def _contender(settings: Settings, spark: SparkSession, version: str) -> Contender | NextBestError:
    return _unless_asking(lambda: frames.contender(settings, spark, version))


def _unless_asking(compute: Callable[[], T]) -> T | NextBestError:
    """What an attempt gives, but that a registry that can't be asked is no fault of a version."""
    found = attempt(compute)
    if isinstance(found, PlatformError):
        raise found
    return found
