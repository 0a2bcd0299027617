"""What may be written to a feature table: Databricks' rules, which the engine doesn't know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms.local.feature_steps import FeatureTable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# The SQL types that Databricks' feature tables know, without their parameters.
KNOWN = frozenset(
    ("smallint", "int", "bigint", "float", "double", "boolean", "string", "date", "timestamp",
     "binary", "decimal", "array", "map", "struct")
)  # fmt: skip


def require_writable(
    table: str,
    frame: DataFrame,
    keys: Sequence[str],
    timestamp: str | None,
    there: FeatureTable | None,
) -> None:
    """Raise DataError unless these rows fit the table, telling all that is wrong with them."""
    kinds = dict(frame.dtypes)
    identity = [*keys, *([timestamp] if timestamp else [])]
    problems = [] if keys else ["no keys"]
    problems += [f"no key column '{name}' in the rows" for name in identity if name not in kinds]
    if timestamp and kinds.get(timestamp, "date") not in ("date", "timestamp"):
        problems.append(f"'{timestamp}' is {kinds[timestamp]}, no timestamp or date")
    problems += [
        f"'{name}' is {kind}, which feature tables don't know"
        for name, kind in kinds.items()
        if general(kind) not in KNOWN
    ]
    problems += [
        f"'{name}' has a dot, which Databricks reads as a field of a struct"
        for name in kinds
        if "." in name
    ]
    if there:
        problems += _other(kinds, keys, timestamp, there)
    if not problems:
        problems += _nulls(frame, identity)
    if problems:
        raise DataError(f"feature table {table}: {'; '.join(problems)}")


def _other(
    kinds: dict[str, str], keys: Sequence[str], timestamp: str | None, there: FeatureTable
) -> list[str]:
    """How the rows differ from the table that is there."""
    problems = []
    if (tuple(keys), timestamp) != (there.keys, there.timestamp):
        problems.append(
            f"its keys are {list(there.keys)} and its timestamp is {there.timestamp}, the rows "
            f"come with {list(keys)} and {timestamp}: write them to a table of their own"
        )
    problems += [
        f"'{name}' is {there.kinds[name]} in the table and {kind} in the rows"
        for name, kind in kinds.items()
        if there.kinds.get(name, kind) != kind
    ]
    spelling = {name.lower(): name for name in there.kinds}
    problems += [
        f"'{name}' differs from '{spelling[name.lower()]}' only by capitals"
        for name in kinds
        if spelling.get(name.lower(), name) != name
    ]
    missing = [name for name in there.kinds if name not in kinds]
    if timestamp and missing:
        problems.append(f"the rows lack {', '.join(missing)}, and the table has a timestamp")
    return problems


def _nulls(frame: DataFrame, identity: Sequence[str]) -> list[str]:
    from pyspark.sql import functions as F

    counts = [F.count_if(tables.column(name).isNull()).alias(name) for name in identity]
    found = frame.agg(*counts).first().asDict()
    return [f"key '{name}' is null in {count} rows" for name, count in found.items() if count]


def general(kind: str) -> str:
    """The SQL type without its parameters: decimal(10,2) is a decimal."""
    return kind.split("(")[0].split("<")[0]
