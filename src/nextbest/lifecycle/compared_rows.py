"""The decisions that two versions are compared on: held out, of the newest days, or somebody's."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.errors import PySparkException

from nextbest.decisions.decide import Decider
from nextbest.decisions.reasons import WIDER
from nextbest.decisions.treatments import SEPARATOR
from nextbest.errors import DataError, UsageError
from nextbest.evaluation.recency import JUDGED_DAYS
from nextbest.lifecycle.holdout import rows_held_out
from nextbest.platforms import Platform
from nextbest.settings import Settings
from nextbest.training.splits import held_out
from nextbest.use_cases import UseCase

HOLDOUT, NEWEST = "holdout", "newest"
NEEDED = ("customer_id", "decided_at", "treatment", "eligible", "propensity", "value")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Decisions under a name; `note` tells what was left out of them."""

    name: str
    rows: pd.DataFrame
    note: str = ""


def read_datasets(
    settings: Settings,
    platform: Platform,
    case: UseCase,
    names: Sequence[str],
    deciders: Sequence[Decider],
    share: float,
    trained: dt.date,
) -> list[Dataset]:
    """The decisions of each name: holdout, newest, a table, or a path of Parquet or Delta.

    share: of all customers, whom neither version learned from; trained: the day before which all
    that either learned from lies. Of a table or path, rows about other customers before that day
    are left out. Raises UsageError for a name that leads nowhere and for columns that are
    missing, DataError for rows that can't be used or when none is left.
    """
    found = []
    kept = None
    for name in dict.fromkeys(names):
        if name in (HOLDOUT, NEWEST):
            kept = rows_held_out(settings, platform, case, share) if kept is None else kept
            rows = kept if name == HOLDOUT else _newest(kept)
            found.append(Dataset(name, rows))
        else:
            rows = _opened(platform, name)
            found.append(_unseen(name, _checked(name, rows, case, deciders), share, trained))
    return found


def newest(rows: pd.DataFrame) -> pd.Series:
    """Which decisions are of the newest days, bool [n]: those that releases are judged on."""
    return (rows["decided_at"].max() - rows["decided_at"]).dt.days < JUDGED_DAYS


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[newest(rows)].reset_index(drop=True)


def _opened(platform: Platform, source: str) -> pd.DataFrame:
    if "/" not in source and len(source.split(".")) != 3:
        near = difflib.get_close_matches(source, (HOLDOUT, NEWEST), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(
            f"--datasets: '{source}' is no dataset{hint}; there are {HOLDOUT}, {NEWEST}, tables as "
            "CATALOG.SCHEMA.TABLE, and paths (with a /) of Parquet (.parquet) or Delta"
        )
    parquet = "/" in source and source.rstrip("/").endswith(".parquet")
    try:
        if parquet and Path(source).exists():  # pandas writes moments that no engine reads
            return ds.dataset(source, format="parquet").to_table().to_pandas()
        found = (
            platform.spark.read.parquet(source) if parquet else platform.catalog.open_delta(source)
        )
        if not found.columns:  # so the embedded engine reads a path where nothing is
            raise DataError("there is no Parquet file")
        return found.toPandas()
    except (PySparkException, DataError, OSError, pa.ArrowInvalid) as error:
        told = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UsageError(f"--datasets: {source} can't be read: {told}") from error


def _checked(
    name: str, rows: pd.DataFrame, case: UseCase, deciders: Sequence[Decider]
) -> pd.DataFrame:
    """Rows with every column that is asked for, none of them null where it counts."""
    kinds = [head.kind for head in case.heads]
    features = [feature for each in deciders for feature in each.model.features]
    wanted = dict.fromkeys([*NEEDED, *kinds, *features])
    if missing := [column for column in wanted if column not in rows.columns]:
        raise UsageError(
            f"--datasets: {name} lacks the columns {', '.join(missing)}; it needs those of a "
            "training set: decisions with their outcomes, and features as of each of them"
        )
    problems = []
    for column in (*NEEDED, *kinds):
        if count := int(rows[column].isna().sum()):
            problems.append(f"{column} is null in {count} of {len(rows)}")
    if problems:
        raise DataError(f"{name}: {'; '.join(problems)} rows; leave immature decisions out")
    rows = rows.assign(
        decided_at=pd.to_datetime(rows["decided_at"], utc=True),
        eligible=[tuple(each.split(SEPARATOR)) if isinstance(each, str) else tuple(each)
                  for each in rows["eligible"]],
    )  # fmt: skip
    if "reason_code" in rows.columns:
        rows = rows[rows["reason_code"] != WIDER]
    order = "decision_id" if "decision_id" in rows.columns else "decided_at"
    return rows.sort_values(order, ignore_index=True, kind="stable")


def _unseen(name: str, rows: pd.DataFrame, share: float, trained: dt.date) -> Dataset:
    later = rows["decided_at"] >= pd.Timestamp(dt.datetime.combine(trained, dt.time(), dt.UTC))
    kept = rows[held_out(rows["customer_id"], share) | later].reset_index(drop=True)
    if kept.empty:
        raise DataError(
            f"{name}: none of its {len(rows)} decisions is one that both versions never saw: of a "
            f"customer held out (holdout_share {share:g}), or from {trained} on"
        )
    left = len(rows) - len(kept)
    note = f"{left:,} of {len(rows):,} decisions left out: a version may have learned from them"
    return Dataset(name, kept, note if left else "")
