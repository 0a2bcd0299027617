"""Where rows come from, by the name in `settings.source`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest.data import open_bandit
from nextbest.data.logging_policy import POLICY
from nextbest.data.own_log.source import read_log
from nextbest.data.simulation import simulate
from nextbest.data.world import World
from nextbest.errors import DataError, SettingsError
from nextbest.settings import Settings


def read_source(
    spark: SparkSession,
    settings: Settings,
    decisions: DataFrame | None,
    land: Path,
    open_delta: Callable[[str], DataFrame],
) -> dict[str, DataFrame]:
    """Frames customers, actions, interactions, decisions, outcomes known before `settings.as_of`.

    `decisions` is the table as it stands, None where there is none yet: a simulated world
    answers the decisions in it. `land` is the folder for files that the engine is to read,
    `open_delta` opens a Delta folder or a table that is not ours (platforms.Catalog). Raises
    DataError when the source is unknown, naming the known.
    """
    if settings.own_log and settings.mapping != "none":
        return read_log(spark, settings, land, open_delta)
    if settings.source not in _SOURCES:
        raise DataError(
            f"'source' is '{settings.source}', which is no source of rows: use one of"
            f" {', '.join(_SOURCES)}"
        )
    return _SOURCES[settings.source](spark, settings, decisions)


def simulated_world(settings: Settings, decisions: DataFrame | None) -> World:
    """The world that source `simulated` shows, for the truth about it (`nextbest.data.truth`).

    With `drift_from` "live", drift begins on the first day on which `decisions` holds decisions of
    our own (on `as_of`, where there are none yet): what the logging policy left behind stays as it
    was. Raises DataError for another source, whose truth nobody knows, and SettingsError.
    """
    if settings.source != "simulated":
        raise DataError(f"'source' is '{settings.source}': only of 'simulated' the truth is known")
    return World(
        seed=settings.seed,
        customers=settings.customers,
        history_days=settings.history_days,
        decisions_per_day=settings.decisions_per_day,
        attribution_days=settings.attribution_days,
        drift=settings.drift,
        drift_from=_drift_from(settings, decisions),
    )


def _drift_from(settings: Settings, decisions: DataFrame | None) -> dt.date:
    if settings.drift_from == "live":
        return _first_own_day(settings.as_of, decisions)
    try:
        return dt.date.fromisoformat(settings.drift_from)
    except ValueError:
        raise SettingsError(
            f"'drift_from' is '{settings.drift_from}': use live, or a date like 2026-01-31"
        ) from None


def _first_own_day(as_of: dt.date, decisions: DataFrame | None) -> dt.date:
    if decisions is None:
        return as_of
    ours = decisions.where(F.col("policy") != POLICY)
    first = ours.agg(F.min(F.to_date("decided_at")).alias("first")).first()["first"]
    return as_of if first is None else first


def _simulated(
    spark: SparkSession, settings: Settings, decisions: DataFrame | None
) -> dict[str, DataFrame]:
    return simulate(spark, simulated_world(settings, decisions), settings.as_of, decisions)


def _open_bandit(
    spark: SparkSession, settings: Settings, decisions: DataFrame | None
) -> dict[str, DataFrame]:
    return open_bandit.read(spark, settings.campaign, settings.as_of)


_SOURCES: dict[str, Callable[..., dict[str, DataFrame]]] = {
    "simulated": _simulated,
    "open_bandit": _open_bandit,
}
