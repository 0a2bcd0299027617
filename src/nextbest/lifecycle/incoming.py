"""Notebook 01: rows come in and are checked."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from nextbest import tables, use_cases
from nextbest.data.contracts import Contract, Reference
from nextbest.data.judging import constraints, judge
from nextbest.data.quarantine import (
    QUARANTINE,
    Rejected,
    good_rows,
    rejected_rows,
    rejections,
    resolved_rows,
)
from nextbest.errors import DataError
from nextbest.lifecycle.outcome import Outcome
from nextbest.platforms import Platform, open_platform
from nextbest.platforms.texts import ColumnText, TableText
from nextbest.settings import Settings


def generate_data(settings: Settings, spark: SparkSession) -> Outcome:
    """01: every row of the source is held against its contract; see `ingest`."""
    log = settings.table("decisions")
    so_far = spark.table(log) if tables.exists(spark, log) else None
    platform, case = open_platform(settings, spark), use_cases.load(settings)
    landing = platform.volume / "incoming"
    frames = case.read(spark, settings, so_far, landing, platform.catalog.open_delta)
    return ingest(settings, spark, frames)


def ingest(settings: Settings, spark: SparkSession, frames: Mapping[str, DataFrame]) -> Outcome:
    """Merge the good rows of some tables; a broken row goes whole to quarantine.

    An accepted row closes the quarantined one whose place it takes (quarantine.resolved_rows).
    Raises DataError when more than `max_rejected_share` of a table was rejected: then no table
    has moved, and what was rejected is in quarantine all the same.
    """
    platform = open_platform(settings, spark)
    folder = platform.volume / "incoming"
    contracts = {n: c for n, c in use_cases.load(settings).contracts.items() if n in frames}
    if strange := sorted(frames.keys() - contracts.keys()):
        raise DataError(
            f"{', '.join(strange)}: no table that source '{settings.source}' fills; it fills"
            f" {', '.join(use_cases.load(settings).contracts)}"
        )
    judged: dict[str, DataFrame] = {}
    for name, contract in contracts.items():
        known = {r.table: _known(settings, spark, r, judged) for r in contract.references}
        place = folder / f"{settings.dataset}{name}"
        came = tables.landed(frames[name], str(place / "came"))
        rows = judge(came, contract, settings.source, settings.as_of, known)
        judged[name] = tables.landed(rows, str(place / "judged"))
    _set_aside(settings, platform, contracts, judged)
    counts = [rejections(rows, settings.table(name)) for name, rows in judged.items()]
    _stop_above(settings, counts)
    for name, contract in contracts.items():
        _merge(platform, good_rows(judged[name], contract), settings.table(name), contract)
    every = (*use_cases.load(settings).contracts.values(), QUARANTINE)
    there = [each for each in every if tables.exists(spark, settings.table(each.table))]
    platform.catalog.describe(f"{settings.dataset}tables", [_text(settings, c) for c in there])
    return _told(settings, spark, counts)


def _known(
    settings: Settings, spark: SparkSession, reference: Reference, judged: Mapping[str, DataFrame]
) -> DataFrame:
    """The rows that a reference may lead to: this run's good ones, then those in the table."""
    contract = use_cases.load(settings).contracts[reference.table]
    fresh = [good_rows(judged[name], contract) for name in judged if name == reference.table]
    table = settings.table(reference.table)
    if not fresh:
        return tables.read(spark, table)
    if not tables.exists(spark, table):
        return fresh[0]
    older = spark.table(table).select(*contract.names)
    keys = list(reference.parent)
    return fresh[0].unionByName(older.join(fresh[0].select(*keys), keys, "left_anti"))


def _set_aside(
    settings: Settings,
    platform: Platform,
    contracts: Mapping[str, Contract],
    judged: Mapping[str, DataFrame],
) -> None:
    spark = platform.spark
    table, run_id = settings.table("quarantine"), settings.as_of.isoformat()
    there = spark.table(table) if tables.exists(spark, table) else None
    for name, contract in contracts.items():
        rows = judged[name]
        moved = rejected_rows(rows, contract, settings.source, run_id)
        if there is not None:
            closed = resolved_rows(there, rows, contract, settings.source, run_id)
            moved = moved.unionByName(closed)
        _merge(platform, moved, table, QUARANTINE)


def _merge(platform: Platform, rows: DataFrame, table: str, contract: Contract) -> None:
    """A table keeps the contract itself, from its first rows on."""
    there = tables.exists(platform.spark, table)
    if there:
        platform.catalog.constrain(table, constraints(contract))
    tables.merge(rows, table, contract.keys, unique=True)
    if not there:
        platform.catalog.constrain(table, constraints(contract))


def _text(settings: Settings, contract: Contract) -> TableText:
    columns = tuple(ColumnText(column.name, column.comment) for column in contract.columns)
    return TableText(settings.table(contract.table), contract.comment, columns)


def _stop_above(settings: Settings, counts: list[Rejected]) -> None:
    over = [count.text for count in counts if count.share > settings.max_rejected_share]
    if over:
        raise DataError(
            f"more than {settings.max_rejected_share:.2%} of a table's rows break its contract, so"
            f" no table was changed. {'. '.join(over)}. Every one of them is in"
            f" {settings.table('quarantine')} (run_id '{settings.as_of}'): correct the source and"
            " run again, or raise 'max_rejected_share'"
        )


def _told(settings: Settings, spark: SparkSession, counts: list[Rejected]) -> Outcome:
    shown = pd.DataFrame(
        {
            "table": [count.table for count in counts],
            "rows": [spark.table(count.table).count() for count in counts],
            "rejected": [count.rejected for count in counts],
            "broken most": ["; ".join(rule for rule, _ in count.most_broken) for count in counts],
        }
    )
    rejected = sum(count.rejected for count in counts)
    quarantine = spark.table(settings.table("quarantine")).where("status = 'open'")
    sizes = zip(shown["table"], shown["rows"], strict=True)
    told = ", ".join(f"{table.split('.')[-1]} {rows:,}" for table, rows in sizes)
    waiting = quarantine.count()
    return Outcome(
        f"rows before {settings.as_of}: {told}; {rejected} rejected"
        + (f"; {waiting:,} wait in quarantine" if waiting else ""),
        {"What came in, by table": shown},
        {"rejected": str(rejected), "quarantined": str(waiting)},
    )
