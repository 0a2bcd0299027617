"""Batch decisions: one row per customer and day, computed where the rows are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DoubleType, StringType, StructField, StructType

from nextbest.decisions.decide import Decider, decision_ids, score_columns, told, weigh
from nextbest.decisions.drawing import draw
from nextbest.decisions.eligibility import decision_time
from nextbest.decisions.limits import Limits
from nextbest.decisions.reasons import WIDER
from nextbest.decisions.treatments import SEPARATOR, Treatments, without_sets
from nextbest.errors import DataError

ALLOWED = "allowed"  # what eligibility alone allows, array<string>
ROWS = 16_384  # decided at a time: a model's predictions have their price per call
CONTEXT = "context"  # arbitration's weights, array<double> in the order of Treatments


def recommend(
    frame: DataFrame,
    decider: Decider,
    *,
    as_of: dt.date,
    seed: int,
    use_case: str,
    model_version: str,
    limits: Limits | None = None,
    land: Path | None = None,
) -> DataFrame:
    """Decide for every row of `frame` (customer_id once each, eligible, feature columns).

    `frame` may have ALLOWED, which a policy with an eligibility_share needs, and CONTEXT. Gives
    the recommendations columns: decision_id, customer_id, decided_at (08:00 UTC of as_of),
    eligible (what was chosen from), treatment, action_id, channel, propensity (exact),
    policy_propensity (before limits), policy, policy_version, control_group, seed, limits (their
    names and capacities, "" for none), the score parts of decisions.decide.score_columns,
    reason_code, reason, as_of, model_version, then what else `frame` has. The result
    doesn't depend on how rows are partitioned or ordered, so a rerun decides the same.

    Lazy, decided where the rows are; but with `limits` at once and in this process, since one
    customer's contact is another's no: 2 GB for a million customers × 29 treatments. The result
    then lies in the Parquet file `land`, which is written anew. Raises DataError for missing
    columns, for columns of `frame` whose names the recommendations already use, and for limits
    without a place to land; for rows that can't be decided, without limits in the workers.
    """
    arbitration, policy = decider.arbitration, decider.policy
    parts = score_columns(arbitration)
    _check(frame, decider, parts)
    if limits is not None and len(limits) and land is None:
        raise DataError("recommend: limits need a place to land; pass `land`, a Parquet file")
    day = as_of.isoformat()

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in _gathered(batches):
            yield decide_rows(rows, decider, use_case, day, seed)

    text, number = StringType(), DoubleType()
    fields = [StructField(name, text) for name in _TEXT]
    fields += [StructField("propensity", number), StructField("policy_propensity", number)]
    fields += [StructField("control_group", BooleanType())]
    fields += [StructField(name, number) for name in parts]
    fields += [StructField("reason_code", text), StructField("reason", text)]
    schema = StructType(fields + frame.schema.fields)
    if limits is None or not len(limits):
        decided = frame.mapInArrow(run, schema)
    else:
        table = frame.toArrow().combine_chunks()
        rows = pa.RecordBatch.from_struct_array(table.to_struct_array().combine_chunks())
        together = decide_rows(rows, decider, use_case, day, seed, limits)
        land.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_batches([together]), land)
        decided = frame.sparkSession.read.schema(schema).parquet(str(land))
    constants = {
        "decided_at": F.lit(decision_time(as_of)),
        "policy": F.lit(policy.name),
        "policy_version": F.lit(policy.version),
        "seed": F.lit(seed).cast("bigint"),
        "limits": F.lit("" if limits is None else limits.text),
        "as_of": F.lit(as_of),
        "model_version": F.lit(model_version),
    }
    order = [*_FIRST, *parts, *_LAST]
    order += [name for name in frame.columns if name not in (*order, ALLOWED, CONTEXT)]
    return decided.select(
        [constants[name].alias(name) if name in constants else F.col(name) for name in order]
    )


_TEXT = ("decision_id", "treatment", "action_id", "channel")
_FIRST = (
    *("decision_id", "customer_id", "decided_at", "eligible", "treatment", "action_id"),
    *("channel", "propensity", "policy_propensity", "policy", "policy_version"),
    *("control_group", "seed", "limits"),
)
_LAST = ("reason_code", "reason", "as_of", "model_version")


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in larger batches."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= ROWS:
            yield pa.concat_batches(held)
            held = []
    if held:
        yield pa.concat_batches(held)


def decide_rows(
    rows: pa.RecordBatch,
    decider: Decider,
    use_case: str,
    day: str,
    seed: int,
    limits: Limits | None = None,
) -> pa.RecordBatch:
    """What a worker does: rows of `recommend`'s frame with the columns decided about them.

    Without the constant columns. Lists and untouched columns never leave Arrow. With `limits`,
    `rows` are all of the day. Raises DataError for rows that can't be decided.
    """
    lists = [name for name in ("eligible", ALLOWED, CONTEXT) if name in rows.schema.names]
    customers = pa.Table.from_batches([rows]).drop_columns(lists).to_pandas()
    eligible = _mask(rows["eligible"], decider.treatments)
    allowed = _mask(rows[ALLOWED], decider.treatments) if ALLOWED in lists else None
    context = _weights(rows[CONTEXT], decider.treatments) if CONTEXT in lists else None
    ids = decision_ids(customers["customer_id"].to_numpy(), use_case, day)
    weighed = weigh(customers, eligible, decider, allowed, context)
    decided = told(weighed, draw(weighed, decider, ids, seed, limits), decider)
    columns = {"decision_id": pa.array(ids, pa.string())}
    columns |= {name: _arrow(values) for name, values in decided.items()}
    columns |= dict(zip(rows.schema.names, rows.columns, strict=True))
    wider = np.asarray(decided["reason_code"] == WIDER)
    if wider.any():
        sets = rows[ALLOWED].cast(rows["eligible"].type)
        columns["eligible"] = pc.if_else(pa.array(wider), sets, rows["eligible"])
    return pa.RecordBatch.from_pydict(columns)


def _arrow(values: np.ndarray | pd.Categorical) -> pa.Array:
    if isinstance(values, pd.Categorical):
        texts = pa.array(values.categories, pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(values.codes), texts).dictionary_decode()
    return pa.array(values, from_pandas=True)


def _mask(lists: pa.ListArray, treatments: Treatments) -> np.ndarray:
    """Treatments.mask of a column of lists, bool [n, K]: each distinct list is read once."""
    if lists.null_count:
        raise without_sets(lists.null_count, len(lists))
    names = lists.cast(pa.list_(pa.string()))  # engines differ in what they call nullable
    joined = pc.binary_join(names, SEPARATOR).dictionary_encode()
    if joined.null_count:
        raise DataError(f"eligible names no treatment (null) in {joined.null_count} rows")
    sets = [text.split(SEPARATOR) if text else [] for text in joined.dictionary.to_pylist()]
    return treatments.mask(sets)[joined.indices.to_numpy()]


def _weights(lists: pa.ListArray, treatments: Treatments) -> np.ndarray:
    counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    wrong = int((counts != len(treatments)).sum())
    if wrong:
        raise DataError(
            f"context has not one weight for each of {len(treatments)} treatments in {wrong} of "
            f"{len(lists)} rows"
        )
    return lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lists), -1)


def _check(frame: DataFrame, decider: Decider, parts: list[str]) -> None:
    have = set(frame.columns)
    needed = ["customer_id", "eligible", *decider.model.features]
    needed += [ALLOWED] if decider.policy.eligibility_share else []
    taken = {*_FIRST, *parts, *_LAST} - {"customer_id", "eligible"}
    problems = [f"column '{name}' is missing" for name in needed if name not in have]
    problems += [
        f"column '{name}' is one that deciding writes itself: drop it first"
        for name in frame.columns
        if name in taken
    ]
    if problems:
        raise DataError("recommend: " + "; ".join(problems))
