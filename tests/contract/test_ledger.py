"""The ledger port over both adapters: a Delta table by delta-rs, and SQL of a warehouse or Spark.

The embedded engine runs the SQL; that a workspace's Delta refuses the second of two MERGEs at once
is its isolation level's doing, and is not seen here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest
from workspace.ledger_sql import PROPERTIES, for_the_engine
from workspace.routes import Refused
from workspace.server import Workspace

from nextbest.errors import PlatformError
from nextbest.platforms.databricks import statements
from nextbest.platforms.databricks.ledger import DatabricksLedger, by_spark, by_warehouse
from nextbest.platforms.local.ledger import LocalLedger
from nextbest.platforms.releases import ABANDONED, DONE, INTENDED, Step

pytestmark = pytest.mark.integration

SCHEMA = "juan_dev.ml_nba_demo_dev"
STEP = Step(
    model="a.b.it's `quoted`", sequence=1, state=INTENDED, promotion_id="p1",
    promoted_at=dt.datetime(2026, 3, 1, 8, 0, 0, 123456, dt.UTC), promoted_by="ada",
    action="promote", version="2", to_alias="champion", from_alias="staging",
    previous_version="1", previous_champion="1", reason="better; 'quoted' :name", evidence="{}",
    as_of=dt.date(2026, 3, 1), holdout="h", commit=None,
)  # fmt: skip


@pytest.fixture
def engine(spark):
    """What a warehouse would run, on the embedded engine; told are the statements."""
    told = []

    def run(statement, given):
        told.append(statement)
        try:
            rows = spark.sql(for_the_engine(statement, given))
            return rows.columns, [tuple(row) for row in rows.collect()]
        except Exception as error:
            text = str(error).splitlines()[0]
            if "not found" in text or "does not exist" in text or "NOT_FOUND" in text:
                text = f"[TABLE_OR_VIEW_NOT_FOUND] {text}"
            raise Refused(400, "BAD_REQUEST", text) from error

    run.told = told
    return run


@pytest.fixture(params=["local", "warehouse", "spark"])
def ledger(request, tmp_path, spark, engine, monkeypatch):
    table = f"{SCHEMA}.promotions_{uuid.uuid4().hex}"
    if request.param == "local":
        yield LocalLedger(tmp_path, table)
    elif request.param == "spark":

        class Session:
            def sql(self, statement, args=None):
                return spark.sql(for_the_engine(statement, args))

        yield DatabricksLedger(_absent(by_spark(Session())), table)
    else:
        monkeypatch.setattr(statements, "POLL_SECONDS", 0)
        space = Workspace()
        space.kept["warehouses"]["w1"] = "small"
        space.kept["sql"]["engine"] = engine
        yield DatabricksLedger(by_warehouse(space.client(), "w1"), table)
        space.close()


def _absent(run):
    """Spark's name for what the embedded engine tells otherwise."""

    def asked(statement, given):
        try:
            return run(statement, given)
        except PlatformError as error:
            if statement.startswith("SELECT"):
                raise PlatformError(f"[TABLE_OR_VIEW_NOT_FOUND] {error}") from error
            raise

    return asked


def test_rows_come_back_as_they_were_written(ledger):
    assert ledger.steps(STEP.model) == []
    assert ledger.append(STEP)
    done = dataclasses.replace(STEP, state=DONE, reason="")
    assert ledger.append(done)
    assert ledger.steps(STEP.model) == [STEP, done]
    assert ledger.steps("another") == []
    assert ledger.steps(None) == [STEP, done]


def test_a_place_is_given_once(ledger):
    assert ledger.append(STEP)
    assert ledger.append(STEP)  # the answer was lost, and it is asked again
    assert not ledger.append(dataclasses.replace(STEP, promotion_id="p2", version="3"))
    assert ledger.append(dataclasses.replace(STEP, state=DONE))
    assert not ledger.append(dataclasses.replace(STEP, state=ABANDONED))
    assert ledger.append(dataclasses.replace(STEP, model="another", promotion_id="p3"))
    assert ledger.append(dataclasses.replace(STEP, sequence=2, promotion_id="p4"))
    assert [s.promotion_id for s in ledger.steps(STEP.model)] == ["p1", "p1", "p4"]


def test_the_table_is_made_with_the_isolation_that_lets_one_win(spark, engine):
    ledger = DatabricksLedger(lambda s, g: _rows(engine(s, g)), f"{SCHEMA}.p_{uuid.uuid4().hex}")
    assert ledger.append(STEP)
    create, merge, _ = engine.told
    assert create.endswith(PROPERTIES)
    assert "WHEN NOT MATCHED THEN INSERT" in merge
    assert "WHEN MATCHED" not in merge
    assert "quoted" not in merge  # values are parameters


def _rows(answer):
    names, rows = answer
    return [dict(zip(names, (None if v is None else str(v) for v in row), strict=True))
            for row in rows]  # fmt: skip


def test_who_loses_a_race_for_a_place_looks_again(spark, engine):
    """The warehouse refuses the later of two MERGEs; the earlier one's row is there."""
    table = f"{SCHEMA}.p_{uuid.uuid4().hex}"
    run = lambda s, g: _rows(engine(s, g))  # noqa: E731
    first = DatabricksLedger(run, table)

    def refused_once(statement, given):
        if statement.startswith("MERGE"):
            first.append(STEP)
            raise PlatformError("[DELTA_CONCURRENT_APPEND] files were added by another")
        return run(statement, given)

    second = DatabricksLedger(refused_once, table)
    assert not second.append(dataclasses.replace(STEP, promotion_id="p2"))
    assert [each.promotion_id for each in first.steps(STEP.model)] == ["p1"]


def test_a_broken_ledger_is_told(tmp_path):
    folder = tmp_path / "a" / "b" / "promotions" / "_delta_log"
    folder.mkdir(parents=True)
    (folder / "00000000000000000000.json").write_text("{ broken")
    with pytest.raises(PlatformError, match="its Delta log can't be read"):
        LocalLedger(tmp_path, "a.b.promotions").steps("a.b.c")
