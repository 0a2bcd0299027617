"""Moments of a log that is a Spark DataFrame, in one native aggregation."""

from __future__ import annotations

import numpy as np
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from nextbest.errors import DataError
from nextbest.evaluation.ope.log import MEANING, SLACK, LogColumns, columns, shape_problems
from nextbest.evaluation.ope.moments import UNSUPPORTED, WEIGHT_EDGES, Moments, check_finite
from nextbest.evaluation.ope.terms import SHRINKAGES, Layout, Shrinkage, layout_of, row_terms


def moments(
    frame: DataFrame, names: LogColumns, shrinkages: tuple[Shrinkage, ...] = SHRINKAGES
) -> Moments:
    """The moments of a whole log, equal to `fold` of the same rows to 1e-9.

    names: the columns to read (any numeric type); with names.key, a message names a row by it.
    Raises DataError for an empty log, for columns that are missing or not numbers, and for rows
    that are not what LoggedBatch asks for: per column how many, and the smallest key.
    """
    _check_schema(frame, names)
    layout = layout_of(names, shrinkages)
    read = {name: F.col(column).cast("double") for name, column, _ in columns(names)}
    reward, propensity = read["reward"], read["propensity"]
    # A propensity of 0 is refused below, but must not end the query by a division first.
    chance = F.when(propensity > 0, propensity)
    weights = [read[f"{policy}.probability"] / chance for policy in layout.policies]
    q_targets = [read.get(f"{policy}.q_target") for policy in layout.policies]
    terms = row_terms(layout, reward, weights, read.get("q_logged"), q_targets)
    z = {f"z{i}": term for i, term in enumerate(terms)}
    w = {f"w{k}": weight for k, weight in enumerate(weights)}
    u = {
        f"u{k}": read[f"{p}.unsupported"] for k, p in enumerate(layout.policies * layout.supported)
    }
    rows = frame.select(
        *(column.alias(name) for name, column in (z | w | u).items()),
        *(
            F.when(~_valid(read[name], kind), _told(read[name], names.key)).alias(f"bad_{i}")
            for i, (name, _, kind) in enumerate(columns(names))
        ),
    )
    wrong = range(len(list(columns(names))))
    row = rows.agg(
        F.count(F.lit(1)).alias("n"),
        *(F.count(f"bad_{i}").alias(f"count_{i}") for i in wrong),
        *(F.min(f"bad_{i}").alias(f"first_{i}") for i in wrong),
        *(F.sum(i).alias(f"sum_{i}") for i in z),
        *(F.covar_pop(i, j).alias(f"cov_{i}_{j}") for i, j in _pairs(list(z))),
        *(F.max(k).alias(f"max_{k}") for k in w),
        *(_count((F.col("z0") > 0) & (F.col(k) > 0)).alias(f"positive_{k}") for k in w),
        *(_count(F.col(k) > UNSUPPORTED).alias(f"violations_{k}") for k in u),
        *(
            _count(F.col(k) >= float(edge)).alias(f"above_{k}_{b}")
            for k in w
            for b, edge in enumerate(WEIGHT_EDGES)
        ),
    ).collect()[0]
    _check_rows(row, names)
    return _moments(layout, row)


def _moments(layout: Layout, row: Row) -> Moments:
    n, d, k = row["n"], len(layout.names), len(layout.policies)
    total = np.array([row[f"sum_z{i}"] for i in range(d)])
    check_finite(layout, total)
    covariance = np.empty((d, d))
    for i, j in _pairs(list(range(d))):
        covariance[i, j] = covariance[j, i] = row[f"cov_z{i}_z{j}"]
    check_finite(layout, covariance.sum(axis=0))
    above = np.array(
        [[n] + [row[f"above_w{p}_{b}"] for b in range(len(WEIGHT_EDGES))] + [0] for p in range(k)]
    )
    return Moments(
        layout=layout,
        n=n,
        total=total,
        carry=np.zeros(d),
        root=_root(covariance * n),
        max_weight=np.array([row[f"max_w{p}"] for p in range(k)]),
        positives=np.array([row[f"positive_w{p}"] for p in range(k)]),
        violations=np.array(
            [row[f"violations_u{p}"] if layout.supported else 0 for p in range(k)], dtype="int64"
        ),
        weight_counts=above[:, :-1] - above[:, 1:],
    )


def _root(scatter: np.ndarray) -> np.ndarray:
    """R with RᵀR = scatter, by eigenvectors: a scatter of rounded sums may be barely singular."""
    scale = np.sqrt(np.diag(scatter))
    safe = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(scatter / np.outer(safe, safe))
    return np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T * scale


def _check_schema(frame: DataFrame, names: LogColumns) -> None:
    problems = shape_problems(names.targets, names.q_logged)
    types = {field.name: field.dataType for field in frame.schema.fields}
    for name, column, _ in columns(names):
        if column not in types:
            problems.append(f"no column '{column}' for {name}; there are {', '.join(types)}")
        elif not isinstance(types[column], NumericType):
            kind = types[column].simpleString()
            problems.append(f"{name}: column '{column}' is {kind}, not numbers; cast it first")
    if names.key is not None and names.key not in types:
        problems.append(f"no column '{names.key}' for the key; there are {', '.join(types)}")
    if problems:
        raise DataError("log: " + "; ".join(problems))


def _check_rows(row: Row, names: LogColumns) -> None:
    if not row["n"]:
        raise DataError("the log is empty: no decision to evaluate a policy on")
    problems = [
        f"{name}: {row[f'count_{i}']} of {row['n']} rows are not {MEANING[kind]}; "
        f"{'one is' if names.key is None else f'the first is {names.key}'} {row[f'first_{i}']}"
        for i, (name, _, kind) in enumerate(columns(names))
        if row[f"count_{i}"]
    ]
    if problems:
        raise DataError("log: " + "; ".join(problems))


def _valid(column: Column, kind: str) -> Column:
    # In Spark NaN is larger than every number, so each upper bound also refuses it.
    known = column.isNotNull()
    if kind == "real":
        return known & (F.abs(column) < float("inf"))
    low = column > 0 if kind == "chance" else column >= 0
    return known & low & (column <= 1 + SLACK)


def _told(column: Column, key: str | None) -> Column:
    if key is not None:
        return F.col(key)
    return F.coalesce(column.cast("string"), F.lit("null"))


def _count(condition: Column) -> Column:
    return F.count(F.when(condition, 1))


def _pairs(items: list) -> list[tuple]:
    return [(a, b) for i, a in enumerate(items) for b in items[: i + 1]]
