"""Rows come in over real tables: what breaks its contract is set aside until it comes right."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest
from pyspark.sql import functions as F

from nextbest import use_cases
from nextbest.data.contracts import contracts
from nextbest.data.quarantine import open_rows
from nextbest.errors import DataError
from nextbest.lifecycle import generate_data, ingest
from nextbest.platforms.local import environment

DECISIONS = contracts("simulated")["decisions"]
AS_OF = dt.date(2026, 1, 20)
ROWS, EVERY, CUSTOMERS = 1_000_000, 100, 20_000


def tables_of(spark, settings):
    names = ("customers", "actions", "interactions", "decisions", "outcomes", "quarantine")
    return {name: sorted(map(str, spark.table(settings.table(name)).collect())) for name in names}


def spoiled(frames, of, rule):
    """Frames where some decisions break a rule; `of` says which of them, as SQL."""
    propensity = F.when(F.expr(of), F.lit(rule)).otherwise(F.col("propensity"))
    return frames | {"decisions": frames["decisions"].withColumn("propensity", propensity)}


@pytest.fixture
def frames(lakehouse, tmp_path):
    """The simulated world's frames, once ingested."""
    spark, settings = lakehouse
    return use_cases.load(settings()).read(spark, settings(), None, tmp_path, None)


@pytest.mark.slow
@pytest.mark.integration
def test_a_repeated_run_changes_nothing(lakehouse):
    spark, settings = lakehouse
    told = generate_data(settings(), spark)
    assert told.values == {"rejected": "0", "quarantined": "0"}
    before = tables_of(spark, settings())
    generate_data(settings(), spark)
    assert tables_of(spark, settings()) == before
    page = (spark_volume(settings()) / "tables.html").read_text()
    assert "exact probability with which the policy chose it" in page


def spark_volume(settings):
    folder = f"volumes/{settings.catalog}/{settings.schema}/{settings.volume}"
    return environment.lakehouse() / folder


@pytest.mark.integration
@pytest.mark.slow
def test_a_rejected_decision_takes_its_outcomes_along_and_the_corrected_one_brings_them_back(
    lakehouse, frames
):
    spark, settings = lakehouse
    whose = [row.decision_id for row in frames["outcomes"].select("decision_id").collect()]
    generous = settings(max_rejected_share=0.9)
    told = ingest(generous, spark, spoiled(frames, f"decision_id = '{whose[0]}'", 7.0))
    lost = 1 + whose.count(whose[0])
    assert told.values == {"rejected": str(lost), "quarantined": str(lost)}
    assert f"{lost} rejected; {lost} wait in quarantine" in told.summary
    quarantine = spark.table(generous.table("quarantine"))
    rules = {(row.source, *row.rules) for row in quarantine.collect()}
    assert rules == {
        ("simulated.decisions", "0 < propensity <= 1"),
        ("simulated.outcomes", "decision_id is in decisions"),
    }
    told = ingest(settings(), spark, frames)
    assert told.values == {"rejected": "0", "quarantined": "0"}
    closed = spark.table(generous.table("quarantine")).collect()
    assert {(row.status, row.resolved_by) for row in closed} == {("resolved", "2026-01-20")}
    assert len(closed) == lost
    assert spark.table(generous.table("decisions")).count() == frames["decisions"].count()


@pytest.mark.slow
@pytest.mark.integration
def test_too_many_rejected_rows_stop_the_run_and_are_in_quarantine_all_the_same(lakehouse, frames):
    spark, settings = lakehouse
    ingest(settings(), spark, frames)
    before = tables_of(spark, settings())
    later = settings(as_of=AS_OF)
    broken = spoiled(frames, "propensity < 0.9", -1.0)
    wrong = broken["decisions"].where("propensity < 0").count()
    total = frames["decisions"].count()
    with pytest.raises(DataError) as error:
        ingest(later, spark, broken)
    told = str(error.value)
    assert f"decisions: {wrong:,} of {total:,} rows ({wrong / total:.2%})" in told
    assert f"broken most: '0 < propensity <= 1' by {wrong:,}" in told
    assert "more than 2.00% of a table's rows" in told
    assert "quarantine (run_id '2026-01-20')" in told
    after = tables_of(spark, settings())
    set_aside = after.pop("quarantine")
    assert len([row for row in set_aside if "simulated.decisions" in row]) == wrong
    assert after == {name: rows for name, rows in before.items() if name != "quarantine"}
    # Just as many as are let through are let through.
    ingest(settings(max_rejected_share=wrong / total), spark, {"decisions": broken["decisions"]})


@pytest.mark.integration
@pytest.mark.parametrize(
    "number",
    ["NaN", *(pytest.param(each, marks=pytest.mark.slow) for each in ("Infinity", "-Infinity"))],
)
def test_what_is_no_finite_number_is_rejected_among_rows_of_one_value(lakehouse, frames, number):
    """By the statistics of its file a column of one value and NaN is a constant to the engine."""
    spark, settings = lakehouse
    first = frames["decisions"].agg(F.min("decision_id")).first()[0]
    odd = F.expr(f"IF(decision_id = '{first}', double('{number}'), 0.5D)")
    decisions = frames["decisions"].coalesce(1).withColumn("expected_value", odd)
    given = {name: frames[name] for name in ("customers", "actions")} | {"decisions": decisions}
    told = ingest(settings(), spark, given)
    assert told.values["rejected"] == "1"
    row = spark.table(settings().table("quarantine")).first()
    assert row["rules"] == ["expected_value is finite"]
    assert json.loads(row["row"])["expected_value"].lower().startswith(number.lower()[:3])
    table = spark.table(settings().table("decisions"))
    assert table.where(f"decision_id = '{first}'").count() == 0


@pytest.mark.integration
def test_a_table_that_the_source_does_not_fill_is_refused(lakehouse, frames):
    spark, settings = lakehouse
    with pytest.raises(
        DataError, match="^clicks: no table that source 'simulated' fills; it fills"
    ):
        ingest(settings(), spark, frames | {"clicks": frames["outcomes"]})


# Each hundredth of a million rows is broken, in ten ways; `n` is a row's number, told by its
# policy_version. What a column becomes (SQL), and the rules that this breaks.
LATE = "decided_at is before the day that is read"
FAULTS = (
    ({"propensity": "'a third'"}, ("propensity reads as double", "0 < propensity <= 1")),
    ({"propensity": "'0'"}, ("0 < propensity <= 1",)),
    ({"customer_id": "'nobody'"}, ("customer_id is in customers",)),
    ({"decided_at": "'2026-01-20 00:00:00'"}, (LATE,)),
    (
        {"treatment": "'x:call'", "action_id": "'x'", "channel": "'call'"},
        ("treatment is eligible", "treatment is in actions"),
    ),
    ({"decision_id": "NULL"}, ("decision_id is not null",)),
    (
        {"propensity": "NULL", "policy": "NULL", "seed": "'1.5'", "decided_at": "'yesterday'"},
        ("propensity is not null", "policy is not null", "seed reads as bigint",
         "decided_at reads as timestamp", "0 < propensity <= 1", LATE),
    ),
    # Two decisions of one id that differ: neither is known to be right.
    ({"decision_id": "concat('twins-', n - n % 2000)"}, ("decision_id is unique",)),
    # A good row once more, to the last letter (see `made`).
    ({}, ("decision_id is unique",)),
    (
        {"control_group": "'perhaps'", "expected_value": "'NaN'", "eligible": "'none'"},
        ("control_group reads as boolean", "expected_value is finite",
         "eligible reads as array<string>", "treatment is eligible"),
    ),
)  # fmt: skip
TRUE = {
    "decision_id": "concat('d-', n)",
    "customer_id": f"concat('c-', lpad(cast(n % {CUSTOMERS} AS string), 7, '0'))",
    "decided_at": "concat('2026-01-', lpad(cast(1 + n % 19 AS string), 2, '0'), ' 10:00:00')",
    "eligible": '\'["none", "data_upgrade:email"]\'',
    "treatment": "if(n % 3 = 0, 'none', 'data_upgrade:email')",
    "action_id": "if(n % 3 = 0, 'none', 'data_upgrade')",
    "channel": "if(n % 3 = 0, 'none', 'email')",
    "propensity": "cast((1 + n % 9) / 10.0D AS string)",
    "policy": "'theirs'",
    "policy_version": "cast(n AS string)",
    "control_group": "if(n % 7 = 0, 'true', 'false')",
    "seed": "cast(n AS string)",
    "p_response": "CAST(NULL AS string)",
    "expected_value": "cast(n / 8.0D AS string)",
    "reason_code": "CAST(NULL AS string)",
}


def made(spark, rows, broken, only_broken=False):
    """Decisions as text, each EVERY-th of them broken, or all of them as they should be."""
    # The kind of fault; pairs of neighbouring faults of kind 7 share an id.
    kind = f"if(m % {EVERY} = 37, cast(m / {2 * EVERY} AS bigint) % 10, -1)"
    numbered = spark.range(rows).withColumnRenamed("id", "m").selectExpr(
        "m", f"{kind if broken else '-1'} AS kind"
    ).selectExpr("if(kind = 8, m - 1, m) AS n", "kind")  # fmt: skip
    if only_broken:
        numbered = numbered.where("kind >= 0")
    columns = []
    for name, true in TRUE.items():
        cases = "".join(
            f" WHEN {at} THEN {changes[name]}"
            for at, (changes, _) in enumerate(FAULTS)
            if name in changes
        )
        columns.append(f"{f'CASE kind{cases} ELSE {true} END' if cases else true} AS {name}")
    return numbered.selectExpr(*columns)


def checksum(frame):
    """A number that any change to any row of these decisions changes, and how many they are."""
    return tuple(
        frame.select(F.xxhash64(*DECISIONS.names).alias("h"))
        .agg(F.sum(F.expr("h % 1000000007")).alias("s"), F.count(F.lit(1)).alias("n"))
        .first()
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_thousand_malformed_rows_among_a_million(lakehouse, frames, tmp_path):
    spark, settings = lakehouse
    given = settings(customers=CUSTOMERS)
    world = use_cases.load(given).read(spark, given, None, tmp_path, None)
    ingest(given, spark, {name: world[name] for name in ("customers", "actions")})
    told = ingest(given, spark, {"decisions": made(spark, ROWS, broken=True)})
    expected = ROWS // EVERY
    assert told.values == {"rejected": str(expected), "quarantined": str(expected)}
    # Good rows are untouched.
    table = spark.table(given.table("decisions"))
    truth = as_typed(made(spark, ROWS, broken=False)).where(f"n % {EVERY} != 37").drop("n")
    assert checksum(table) == checksum(truth)
    assert table.count() == ROWS - expected
    # Each broken row is there whole, with every rule it broke.
    found = spark.table(given.table("quarantine")).select("row_id", "row", "rules").toPandas()
    wrong = broken_rows(spark)
    rows = [json.loads(row) for row in found["row"]]
    whole = sorted(json.dumps(row, sort_keys=True) for row in rows)
    assert whole == sorted(json.dumps(row, sort_keys=True) for row in wrong)
    rules = pd.Series([tuple(rules) for rules in found["rules"]]).map(frozenset).value_counts()
    share = expected // len(FAULTS)
    reasons = pd.Series({frozenset(rules): 0 for _, rules in FAULTS})
    for _, broken in FAULTS:
        reasons[frozenset(broken)] += share
    assert rules.to_dict() == reasons.to_dict()
    # The same again: nothing moves.
    ingest(given, spark, {"decisions": made(spark, ROWS, broken=True)})
    assert sorted(spark.table(given.table("quarantine")).select("row_id").toPandas()["row_id"]
                  ) == sorted(found["row_id"])  # fmt: skip
    # Corrected rows, each naming the one it replaces, close it; nothing else moves.
    waiting = open_rows(spark.table(given.table("quarantine")), DECISIONS, given.source)
    by_number = waiting.selectExpr("cast(policy_version AS bigint) AS n", "_corrects")
    fixed = by_number.selectExpr(*[f"{true} AS {name}" for name, true in TRUE.items()], "_corrects")
    told = ingest(given, spark, {"decisions": fixed})
    assert told.values == {"rejected": "0", "quarantined": "0"}
    copies = expected // len(FAULTS)
    assert spark.table(given.table("decisions")).count() == ROWS - copies


def as_typed(frame):
    kinds = {column.name: column.type for column in DECISIONS.columns}
    columns = [
        (
            f"from_json(eligible, 'array<string>') AS {name}"
            if name == "eligible"
            else f"CAST({name} AS {kinds[name]}) AS {name}"
        )
        for name in DECISIONS.names
    ]
    return frame.selectExpr("cast(policy_version AS bigint) AS n", *columns)


def broken_rows(spark):
    """The rows of `made` that are broken, nulls left out."""
    source = made(spark, ROWS, broken=True, only_broken=True).toPandas()
    return [
        {name: value for name, value in row.items() if value is not None}
        for row in source.to_dict("records")
    ]
