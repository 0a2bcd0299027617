"""Flat rows of a log → customers, actions, interactions, decisions and outcomes, on the engine."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from nextbest.data.contracts import Contract
from nextbest.data.own_log.actions import TIMES, read_actions
from nextbest.data.own_log.mapping import LogMapping
from nextbest.decisions.treatments import NONE
from nextbest.errors import DataError

_FAULT = "the log: "


def to_tables(
    spark: SparkSession, flat: DataFrame, mapping: LogMapping, as_of: dt.date, log: str
) -> dict[str, DataFrame]:
    """Frames by table name, of what was known before the midnight (UTC) of `as_of`.

    `flat` is mapped.flat_schema. A column of which a value could not be read comes as text, so
    that its row is rejected as it came; a row without a time is kept, so that it is, too. A
    customer's attributes are those of their first decision (that can be read): later ones would
    tell earlier decisions what came after. Raises DataError when nothing lies before `as_of`, and
    when the propensity is not known.
    """
    if mapping.propensity.how == "unknown":
        raise DataError(
            f"{mapping.file}: decisions.propensity is unknown: without the chance with which the "
            "logged choice was made no other policy can be valued. Name its column, or write "
            "'uniform' or 'empirical' if, and only if, the choice was random"
        )
    known = flat.where(f"decided_at IS NULL OR decided_at < timestamp'{as_of} 00:00:00Z'")
    span = F.to_date(F.min("decided_at")), F.to_date(F.max("decided_at"))  # of UTC, not of here
    first, last, rows = flat.agg(*span, F.count("*")).first()
    if not known.where("decided_at IS NOT NULL").limit(1).count():
        raise DataError(
            f"{log}: none of {rows} decisions lies before 'as_of' {as_of}: "
            + (f"they are of {first} to {last}; use a later day" if first else
               f"no time can be read; see decided_at in {mapping.file}")
        )  # fmt: skip
    known = _as_text(known, mapping)
    actions = read_actions(mapping, _seen(known, mapping))
    decisions = _with_eligible(spark, known, mapping, actions)
    return {
        "customers": _customers(known, mapping),
        "actions": _frame(spark, actions),
        "interactions": spark.createDataFrame([], _INTERACTIONS),
        "decisions": _decisions(decisions, mapping),
        "outcomes": _outcomes(known, mapping, as_of),
    }


def without_faults(decisions: Contract) -> Contract:
    """The contract of decisions, which refuses rows of the log that something is wrong with.

    What it is stands in `reason_code`, behind _FAULT: only our own decisions have one else.
    """
    rule = f"reason_code IS NULL OR NOT startswith(reason_code, '{_FAULT}')"
    return replace(decisions, rules={**decisions.rules, "the whole row can be read": rule})


def _as_text(known: DataFrame, mapping: LogMapping) -> DataFrame:
    """The columns of which something could not be read become text; the others stay as they are.

    Added is t_<column> for each of COLUMNS that are read: what the row is judged by.
    """
    names = ["decided_at", "propensity", "control_group"]
    for k, _ in enumerate(mapping.outcomes):
        names += [f"o{k}_reward", f"o{k}_value", f"o{k}_at"]
    names += [f"a{k}" for k, each in enumerate(mapping.attributes) if each.kind == "number"]
    there = [F.max(F.expr(f"""coalesce(unreadable LIKE '%"{n}":%', false)""")) for n in names]
    broken = dict(zip(names, known.agg(*there).first(), strict=True))
    text = "coalesce(get_json_object(unreadable, '$.{0}'), CAST({0} AS STRING))"
    return known.withColumns(
        {f"t_{n}": F.expr(text.format(n)) if broken[n] else F.col(n) for n in names}
    )


def _seen(known: DataFrame, mapping: LogMapping) -> pd.DataFrame:
    """Every treatment that the log names, with action_id and channel; chosen, or only eligible."""
    names = ["treatment", "action_id", "channel"]
    chosen = known.where("treatment IS NOT NULL").select(*names).distinct().collect()
    listed = set(mapping.eligible.treatments)
    if mapping.eligible.how == "column":
        found = known.select(F.explode("listed").alias("treatment"))
        listed |= {row[0] for row in found.where("treatment IS NOT NULL").distinct().collect()}
    # Of what is only eligible there is no more than the name; a channel may have a colon, too.
    split = [
        (each, NONE, NONE) if each == NONE else (each, *each.rpartition(":")[::2])
        for each in sorted(listed - {row[0] for row in chosen})
    ]
    frame = pd.DataFrame([*sorted(map(tuple, chosen)), *split], columns=names)
    return frame.drop_duplicates("treatment")


def _with_eligible(
    spark: SparkSession, known: DataFrame, mapping: LogMapping, actions: pd.DataFrame
) -> DataFrame:
    """Add `eligible`; the few different sets travel once and are joined on."""
    if mapping.eligible.how == "column":
        return known.withColumn("eligible", F.col("listed"))
    if mapping.eligible.how == "treatments":
        sets = pd.DataFrame({"__set": [0], "eligible": [list(mapping.eligible.treatments)]})
        return known.withColumn("__set", F.lit(0)).join(_small(spark, sets), "__set", "left")
    ends = sorted({moment for name in TIMES for moment in actions[name].dropna()})
    past = [f"CAST(decided_at >= timestamp'{moment.isoformat()}' AS INT)" for moment in ends]
    known = known.withColumn("__set", F.expr(" + ".join(past) if past else "0"))
    rows = []
    for at, moment in enumerate([pd.Timestamp.min.tz_localize("UTC"), *ends]):
        valid = ~(actions["valid_from"] > moment) & ~(actions["valid_to"] <= moment)
        for channel in sorted(set(actions["channel"])):
            mine = valid & actions["channel"].isin([channel, NONE])
            rows.append((at, channel, actions.loc[mine, "treatment"].tolist()))
        rows.append((at, None, actions.loc[valid, "treatment"].tolist()))
    sets = pd.DataFrame(rows, columns=["__set", "channel", "eligible"])
    if mapping.eligible.how == "all":
        whole = sets[sets["channel"].isna()].drop(columns="channel")
        return known.join(_small(spark, whole), "__set", "left")
    return known.join(_small(spark, sets.dropna(subset="channel")), ["__set", "channel"], "left")


def _decisions(rows: DataFrame, mapping: LogMapping) -> DataFrame:
    chance = F.col("t_propensity")
    if mapping.propensity.how == "uniform":
        chance = F.expr("CASE WHEN size(eligible) > 0 THEN 1D / size(eligible) END")
    if mapping.propensity.how == "empirical":
        good = rows.where("decided_at IS NOT NULL AND treatment IS NOT NULL")
        chosen = good.groupBy("grouped", "treatment").agg(F.count(F.lit(1)).alias("__chosen"))
        whole = chosen.groupBy("grouped").agg(F.sum("__chosen").alias("__whole"))
        shares = chosen.join(whole, "grouped").select(
            "grouped", "treatment", (F.col("__chosen") / F.col("__whole")).alias("__share")
        )
        rows = rows.join(shares, ["grouped", "treatment"], "left")
        chance = F.col("__share")
    return rows.select(
        "decision_id", "customer_id", F.col("t_decided_at").alias("decided_at"), "eligible",
        "treatment", "action_id", "channel", chance.alias("propensity"), "policy",
        "policy_version", F.col("t_control_group").alias("control_group"),
        F.lit(0).cast("bigint").alias("seed"),
        F.lit(None).cast("double").alias("p_response"),
        F.lit(None).cast("double").alias("expected_value"),
        F.expr(f"'{_FAULT}' || fault").alias("reason_code"),
    )  # fmt: skip


def _outcomes(known: DataFrame, mapping: LogMapping, as_of: dt.date) -> DataFrame:
    """What came of the decisions; a row of which nothing is known is no outcome, but is told."""
    rows = known.where("row IS NOT NULL")  # a broken line is a decision that can't be read
    kinds = dict(known.dtypes)
    texts = {}
    for part in ("at", "reward", "value"):
        named = [f"t_o{k}_{part}" for k, _ in enumerate(mapping.outcomes)]
        one = "string" if any(kinds[name] == "string" for name in named) else kinds[named[0]]
        texts[part] = lambda k, part=part, one=one: F.col(f"t_o{k}_{part}").cast(one)
    found = None
    for k, each in enumerate(mapping.outcomes):
        nothing = f"coalesce(o{k}_reward, 1D) = 0D AND coalesce(o{k}_value, 1D) = 0D"
        early = f"o{k}_at IS NULL OR o{k}_at < timestamp'{as_of} 00:00:00Z'"
        mine = rows.where(f"NOT ({nothing})").where(early).select(
            "decision_id",
            texts["at"](k).alias("observed_at"),
            F.lit(each.kind).alias("kind"),
            texts["reward"](k).alias("reward"),
            texts["value"](k).alias("value"),
        )  # fmt: skip
        found = mine if found is None else found.unionByName(mine)
    return found


def _customers(known: DataFrame, mapping: LogMapping) -> DataFrame:
    names = [f"a{k}" if each.kind == "text" else f"t_a{k}"
             for k, each in enumerate(mapping.attributes)]  # fmt: skip
    rows = known.where("row IS NOT NULL")
    if mapping.customer_id is not None:
        sound = F.expr("fault IS NOT NULL").alias("faulty")  # false comes first
        first = F.min(F.struct(sound, "decided_at", "row", *names)).alias("it")
        rows = rows.where("decided_at IS NOT NULL").groupBy("customer_id").agg(first)
        rows = rows.select("customer_id", "it.*")
    return rows.select(
        "customer_id",
        *[
            F.col(name).alias(each.name)
            for name, each in zip(names, mapping.attributes, strict=True)
        ],
    )


def _small(spark: SparkSession, frame: pd.DataFrame) -> DataFrame:
    return spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False))


def _frame(spark: SparkSession, actions: pd.DataFrame) -> DataFrame:
    texts = [(name, pa.string()) for name in ("treatment", "action_id", "channel")]
    numbers = [(name, pa.float64()) for name in ("value", "cost", "lever")]
    gates = [(n, pa.string()) for n in ("eligibility", "applicability", "suitability", "consent")]
    times = [(name, pa.timestamp("us", tz="UTC")) for name in TIMES]
    schema = pa.schema([*texts, *numbers, *gates, ("daily_capacity", pa.int64()), *times])
    return spark.createDataFrame(pa.Table.from_pandas(actions, schema=schema, preserve_index=False))


_INTERACTIONS = (
    "event_id string, customer_id string, event_time timestamp, kind string, amount double"
)
