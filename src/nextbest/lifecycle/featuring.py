"""Notebook 02: rows become features, which are told in words where the platform keeps words."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest import tables, use_cases
from nextbest.features import action
from nextbest.features.customer import customer_features
from nextbest.features.definitions import ACTION_FEATURES, HISTORY, WINDOWS, Window, spread
from nextbest.features.feature_tables import FEATURE_TABLES
from nextbest.lifecycle.frames import KEYS, midnight
from nextbest.lifecycle.outcome import Outcome
from nextbest.platforms import open_platform
from nextbest.platforms.texts import ColumnText, TableText
from nextbest.settings import Settings

_KEY_TEXTS = (
    ColumnText("customer_id", "Who"),
    ColumnText("as_of", "The midnight (UTC) for which the features hold"),
)


def engineer_features(settings: Settings, spark: SparkSession) -> Outcome:
    """02: features for every day with decisions before `as_of`, and for `as_of`.

    customer_features, which models learn from; customer_history, more of the past, also per
    channel and action; action_features. History and today come from the same functions.
    """
    platform = open_platform(settings, spark)
    known = {
        name: tables.read(spark, settings.table(name))
        for name in ("customers", "interactions", "decisions", "outcomes")
    }
    actions = tables.read(spark, settings.table("actions"))
    apart = spread(_values(actions))
    decided = known["decisions"].where(F.col("decided_at") < midnight(settings))
    days = decided.select("customer_id", F.to_date("decided_at").cast("timestamp").alias("as_of"))
    today = known["customers"].select("customer_id", midnight(settings).alias("as_of"))
    name = settings.table("customer_features")
    found = customer_features(days.unionByName(today), **known, windows=(*WINDOWS, *apart))
    with tables.written_down(found) as rows:  # one look at the past serves both tables
        learned = rows.drop(*[window.name for window in apart])
        platform.features.write(name, learned, *FEATURE_TABLES["customer_features"])
        history = rows.select(*KEYS, *[window.name for window in apart])
        kept = settings.table("customer_history")
        platform.features.write(kept, history, *FEATURE_TABLES["customer_history"])
    of_actions = action.action_features(
        days.unionByName(today.limit(1)), actions, known["decisions"], known["outcomes"],
        settings.attribution_days,
    )  # fmt: skip
    with tables.written_down(of_actions) as rows:
        treated = settings.table("action_features")
        platform.features.write(treated, rows, *FEATURE_TABLES["action_features"])
    texts = [_of_customers(settings), _of_history(settings, apart), _of_actions(settings)]
    platform.catalog.describe(f"{settings.dataset}features", texts)
    table = spark.table(name)
    told = f"{name}: {table.count():,} rows, {len(table.columns) - len(KEYS)} features"
    if left_out := sorted({w.per for w in HISTORY} - {w.per for w in apart}):
        told += f"; no history per {', '.join(left_out)}, of which there are too many"
    if platform.features.online(name):  # since notebook 08 served a model
        platform.features.publish(name)
        told += "; online, too"
    return Outcome(told, {"Features of some customers": table.limit(20)})


def _values(actions: DataFrame) -> dict[str, list[str]]:
    """Channels and actions that can be offered, by the column that names them."""
    rows = actions.where(F.col("action_id") != "none").select("channel", "action_id").collect()
    return {name: sorted({row[name] for row in rows}) for name in ("channel", "action_id")}


def _of_customers(settings: Settings) -> TableText:
    attributes = use_cases.load(settings).contracts["customers"].columns
    return TableText(
        settings.table("customer_features"),
        "Customers as of a midnight (UTC): only what happened strictly before it counts",
        (
            *_KEY_TEXTS,
            *[
                ColumnText(c.name, c.comment, source="customers")
                for c in attributes
                if c.name != "customer_id"
            ],
            *map(_of_window, WINDOWS),
        ),
    )


def _of_history(settings: Settings, windows: Sequence[Window]) -> TableText:
    return TableText(
        settings.table("customer_history"),
        "More of customers' past before a midnight (UTC), also per channel and action; no model"
        " learns from it unasked",
        (*_KEY_TEXTS, *map(_of_window, windows)),
    )


def _of_window(window: Window) -> ColumnText:
    return ColumnText(window.name, window.meaning, window.unit, window.window, window.source)


def _of_actions(settings: Settings) -> TableText:
    return TableText(
        settings.table("action_features"),
        "Treatments as of a midnight (UTC): only what happened strictly before it counts",
        (
            ColumnText("action_id", "What is offered"),
            ColumnText("channel", "How it is said"),
            ColumnText("as_of", "The midnight (UTC) for which the features hold"),
            *[
                ColumnText(name, meaning, unit, window, source)
                for name, (meaning, window, unit, source) in ACTION_FEATURES.items()
            ],
        ),
    )
