"""Rows told apart by window, model version and slice; columns told apart by kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from nextbest.errors import DataError

GROUP = ("__start", "__end", "__model", "slice_key", "slice_value")
_NUMERIC = ("tinyint", "smallint", "int", "bigint", "float", "double")


@dataclass(frozen=True)
class Kinds:
    """Watched columns by how they are measured: name → engine type."""

    numeric: dict[str, str]
    categorical: dict[str, str]


def kinds(frame: DataFrame, columns: Sequence[str]) -> Kinds:
    """Sort `columns` into numeric and categorical (string, boolean) ones.

    Raises DataError listing every column that is missing, named twice or of another type.
    """
    types = dict(frame.dtypes)
    wrong = [f"{name} is not there" for name in columns if name not in types]
    wrong += [
        f"{name} is named twice" for name in sorted(set(columns)) if list(columns).count(name) > 1
    ]
    numeric, categorical = {}, {}
    for name in columns:
        kind = types.get(name, "")
        if kind in _NUMERIC or kind.startswith("decimal"):
            numeric[name] = kind
        elif kind in ("string", "boolean"):
            categorical[name] = kind
        elif kind:
            wrong.append(f"{name} is {kind}: only numbers, strings and booleans can be watched")
    if wrong:
        raise DataError("monitored columns: " + "; ".join(wrong))
    return Kinds(numeric, categorical)


def grouped(
    frame: DataFrame,
    *,
    timestamp: str,
    granularity: str | None,
    columns: Sequence[str],
    model_id: str,
    slices: Sequence[str],
    all_models: str | None,
) -> DataFrame:
    """The watched columns next to GROUP; `granularity` None: no window, the whole table.

    A row appears once for the whole table and once per slice expression (SQL over the columns),
    and with `all_models` once more under that name. `__at` is the row's own timestamp.
    """
    needed = [name for name in (timestamp, model_id) if name not in frame.columns]
    if needed:
        raise DataError(f"monitored table: no column {', '.join(needed)}")
    start, end = _bounds(timestamp, granularity)
    model = F.col(model_id).cast("string")
    rows = frame.select(
        start.alias("__start"),
        end.alias("__end"),
        F.col(timestamp).alias("__at"),
        (F.explode(F.array(model, F.lit(all_models))) if all_models else model).alias("__model"),
        _slices(slices).alias("__slices"),
        *columns,
    )
    if not slices:
        # Not a literal: the embedded engine groups by constants ten times slower.
        nothing = F.when(F.col("__at").isNull(), F.lit(""))
        names = [nothing.alias("slice_key"), nothing.alias("slice_value")]
        return rows.select(*GROUP[:3], "__at", *names, *columns)
    each = rows.select(*GROUP[:3], "__at", F.explode("__slices").alias("__slice"), *columns)
    names = [F.col("__slice.slice_key"), F.col("__slice.slice_value")]
    return each.select(*GROUP[:3], "__at", *names, *columns)


def stacked(
    rows: DataFrame, columns: dict[str, str], values: Sequence[str], kind: str
) -> DataFrame:
    """GROUP, `__at`, column_name, data_type, value: one row per row and column.

    `values` are SQL expressions, one per column, cast to `kind`.
    """
    cells = ", ".join(
        f"'{_literal(name)}', '{data_type}', CAST({value} AS {kind})"
        for (name, data_type), value in zip(columns.items(), values, strict=True)
    )
    names = "(column_name, data_type, value)"
    return rows.select(*GROUP, "__at", F.expr(f"stack({len(columns)}, {cells}) AS {names}"))


def quoted(name: str) -> str:
    """A column name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def window_of(day: dt.date, granularity: str) -> tuple[dt.datetime, dt.datetime]:
    """Start and end (exclusive) of the window that holds the first instant of `day`, UTC.

    The same windows as the profiles': days and weeks are counted from 1970-01-01. Raises
    DataError for granularities below a day, of which a day has many.
    """
    midnight = dt.datetime(day.year, day.month, day.day)
    if granularity == "1 month":
        start = midnight.replace(day=1)
        return start, (start + dt.timedelta(days=32)).replace(day=1)
    if granularity == "1 year":
        start = midnight.replace(month=1, day=1)
        return start, start.replace(year=start.year + 1)
    number, _, unit = granularity.partition(" ")
    length = {"day": 1, "days": 1, "week": 7, "weeks": 7}.get(unit, 0)
    days = int(number) * length if number.isdigit() else 0
    if not days:
        raise DataError(
            f"monitor granularity {granularity!r}: "
            'use "<n> day", "<n> week", "1 month" or "1 year"'
        )
    start = midnight - dt.timedelta(days=(midnight - dt.datetime(1970, 1, 1)).days % days)
    return start, start + dt.timedelta(days=days)


def _bounds(timestamp: str, granularity: str | None) -> tuple[Column, Column]:
    if granularity is None:
        nothing = F.lit(None).cast("timestamp")
        return nothing, nothing
    at = F.col(timestamp)
    if granularity in ("1 month", "1 year"):  # no fixed length: not what F.window can do
        unit, months = ("month", 1) if granularity == "1 month" else ("year", 12)
        start = F.date_trunc(unit, at)
        return start, F.add_months(start, months).cast("timestamp")
    window = F.window(at, granularity)
    return window.start, window.end


def _slices(expressions: Sequence[str]) -> Column:
    whole = F.lit(None).cast("string")
    pairs = [(whole, whole)]
    pairs += [(F.lit(text), F.expr(text).cast("string")) for text in expressions]
    # Not F.struct: Apache Spark loses the alias of some expressions inside an array.
    key, value = F.lit("slice_key"), F.lit("slice_value")
    return F.array(*[F.named_struct(key, k, value, v) for k, v in pairs])


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
