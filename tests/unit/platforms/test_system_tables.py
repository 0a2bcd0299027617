"""The queries of the system tables, on tables with the documented columns."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from workspace.system_tables import (
    JOBS_SKU,
    SERVING_SKU,
    engine,
    job,
    load,
    price,
    slices,
    usage,
)

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.system_tables import (
    as_history,
    runs_sql,
    tasks_sql,
    usage_sql,
)
from nextbest.platforms.run_history import PastTask

pytestmark = pytest.mark.integration

SINCE = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
ASKED = {"workspace": "1", "project": "nextbest", "stage": "prod", "since": "2026-03-01T00:00:00Z"}


def at(day, hour=8, minute=0):
    return dt.datetime(2026, 3, 1, hour, minute, tzinfo=dt.UTC) + dt.timedelta(days=day - 1)


def of(job_id, run_id):
    return {"job_id": job_id, "run_id": run_id}


def task(job_id, run_id, key, number=0):
    return {"job_id": job_id, "job_run_id": run_id, "task_key": key,
            "run_id": f"{run_id}{key}{number}"}  # fmt: skip


def billed(job_id, run_id, day, quantity, **more):
    return usage(at(day), Decimal(quantity), job_id=job_id, job_run_id=run_id, **more)


@pytest.fixture(scope="module")
def found(spark, tmp_path_factory):
    other = {"project": "other", "stage": "prod"}
    rows = {
        "lakeflow.jobs": [
            job("11", "old name", at(1), {}),
            job("11", "training", at(2)),
            job("12", "inference", at(1)),
            job("13", "training", at(1), {"project": "nextbest", "stage": "staging"}),
            job("14", "theirs", at(1), other),
            job("11", "elsewhere", at(3), workspace="2"),
        ],
        "lakeflow.job_run_timeline": [
            *slices(at(1, 8, 30), 5400, "SUCCEEDED", **of("11", "r1")),  # two slices
            *slices(at(2), 60, "FAILED", **of("11", "r2")),
            *slices(at(2, 12), 90, "SUCCEEDED", **of("11", "r2")),  # its repair, hours later
            *slices(at(3), 30, "FAILED", **of("12", "r3")),
            *slices(at(3, 12), 30, None, **of("12", "r3")),  # its repair goes on
            *slices(at(3), 0, "SKIPPED", **of("12", "r4")),
            *slices(at(0, 23), 7200, "SUCCEEDED", **of("11", "r0")),  # began before
            *slices(at(2), 60, "SUCCEEDED", **of("13", "r5")),
            *slices(at(2), 60, "SUCCEEDED", **of("14", "r6")),
        ],
        "lakeflow.job_task_run_timeline": [
            *slices(at(2), 50, "FAILED", **task("11", "r2", "train")),
            *slices(at(2, 12), 80, "SUCCEEDED", **task("11", "r2", "train", 1)),
            *slices(at(2), 5, "SUCCEEDED", **task("11", "r2", "check")),
        ],
        "billing.usage": [
            billed("11", "r1", 1, "10"),
            billed("11", "r1", 1, "-10", kind="RETRACTION"),
            billed("11", "r1", 1, "4", kind="RESTATEMENT"),
            billed("11", "r2", 2, "2"),
            billed("11", "r0", 1, "1"),
            billed("12", "r3", 3, "1", sku="NEW_SKU"),
            billed("13", "r5", 2, "100", tags={}),
            billed("14", "r6", 2, "100", tags={}),
            usage(at(2), Decimal(8), SERVING_SKU, "MODEL_SERVING", endpoint_name="nextbest-prod"),
        ],
        "billing.list_prices": [
            price(JOBS_SKU, "0.10", at(-400), at(2)),
            price(JOBS_SKU, "0.20", at(2), None, effective="0.15"),
            price(JOBS_SKU, "0.18", at(-400), None, "EUR"),
            price(SERVING_SKU, "0.07", at(-400)),
        ],
    }
    load(spark, "juan_dev", tmp_path_factory.mktemp("system"), rows)
    ask = engine(spark, "juan_dev")

    def answer(sql, **more):
        names, values = ask(sql, {**ASKED, **more})
        text = [[None if each is None else str(each) for each in row] for row in values]
        return [dict(zip(names, row, strict=True)) for row in text]

    return as_history(
        answer(runs_sql()), answer(tasks_sql()), answer(usage_sql(), currency="USD"), "USD"
    )


def test_runs_are_the_targets_own_by_the_last_name_of_their_job(found):
    assert [(run.run_id, run.job, run.state, run.passed) for run in found.runs] == [
        ("r1", "training", "SUCCEEDED", True),
        ("r2", "training", "SUCCEEDED", True),
        ("r3", "inference", "", None),
        ("r4", "inference", "SKIPPED", None),
    ]


def test_a_run_took_what_it_was_active(found):
    runs = {run.run_id: run for run in found.runs}
    assert runs["r1"].seconds == 5400
    assert runs["r1"].start == at(1, 8, 30)
    assert runs["r2"].seconds == 150  # not the hours until it was repaired


def test_tasks_count_their_attempts(found):
    runs = {run.run_id: run for run in found.runs}
    assert runs["r2"].tasks == (PastTask("check", 1, 5.0), PastTask("train", 2, 130.0))


def test_costs_are_corrected_and_priced_as_of_their_time(found):
    costs = {(each.run_id, each.product): each.cost for each in found.usage}
    assert costs == {
        ("r1", "JOBS"): pytest.approx(0.4),  # 10 - 10 + 4 at the first price
        ("r2", "JOBS"): pytest.approx(0.3),  # with the promotion that came then
        ("r0", "JOBS"): pytest.approx(0.1),
        ("r3", "JOBS"): None,  # without a price: not 0
        (None, "MODEL_SERVING"): pytest.approx(0.56),
    }


def test_rows_that_are_not_as_documented_are_told():
    with pytest.raises(PlatformError, match="not as their documentation says .KeyError"):
        as_history([{"run_id": "1"}], [], [], "USD")
