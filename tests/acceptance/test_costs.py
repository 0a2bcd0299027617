"""`dbb costs` against the recording workspace, whose warehouse asks the embedded engine."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from workspace import system_tables as tables
from workspace.server import TOKEN, Workspace

from nextbest.cli import main
from nextbest.platforms.databricks import statements
from nextbest.runner import states, store
from nextbest.runner.record import Attempt, RunRecord, TaskRecord, to_json

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NOW = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)


def ago(days, hours=0):
    return NOW - dt.timedelta(days=days, hours=hours)


@pytest.fixture(scope="module")
def engine(spark, tmp_path_factory):
    """Ten days of two jobs; one run failed, the last one is not billed yet."""
    training = {"job_id": "11", "task_key": "model_training"}
    rows = {name: [] for name in tables.TABLES}
    rows["lakeflow.jobs"] = [
        tables.job("11", "nextbest training", ago(40)),
        tables.job("12", "nextbest <inference>", ago(40)),
    ]
    runs, tasks = rows["lakeflow.job_run_timeline"], rows["lakeflow.job_task_run_timeline"]
    for day in range(10, -1, -1):
        run, state = f"70{day}", "FAILED" if day == 4 else "SUCCEEDED"
        seconds = 1800 + 60 * day
        runs += tables.slices(ago(day, 3), seconds, state, job_id="11", run_id=run)
        runs += tables.slices(ago(day, 2), 240, "SUCCEEDED", job_id="12", run_id=f"80{day}")
        tasks += tables.slices(
            ago(day, 3), seconds - 30, state, run_id=f"t{day}", job_run_id=run, **training
        )
        if day:
            rows["billing.usage"] += [
                tables.usage(ago(day, 3), Decimal(30), job_id="11", job_run_id=run),
                tables.usage(ago(day, 2), Decimal(4), job_id="12", job_run_id=f"80{day}"),
            ]
    rows["billing.usage"].append(
        tables.usage(ago(3), Decimal(5), tables.SERVING_SKU, "MODEL_SERVING")
    )
    rows["billing.list_prices"] = [
        tables.price(tables.JOBS_SKU, "0.15", ago(900)),
        tables.price(tables.SERVING_SKU, "0.07", ago(900)),
    ]
    tables.load(spark, "juan_dev", tmp_path_factory.mktemp("system"), rows)
    return tables.engine(spark, "juan_dev")


@pytest.fixture
def space(monkeypatch, tmp_path, engine):
    space = Workspace()
    space.kept["account"]["metastore"] = "m1"
    space.kept["warehouses"].update({"w1": "Starter", "w2": "Large"})
    space.kept["sql"]["engine"] = engine
    monkeypatch.setenv("DATABRICKS_HOST", space.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.delenv("DATABRICKS_WAREHOUSE_ID", raising=False)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
    monkeypatch.setattr(statements, "POLL_SECONDS", 0)
    monkeypatch.chdir(ROOT)
    yield space
    space.close()


def asked(capsys, *more):
    assert main(["costs", "-t", "prod", "--warehouse", "w1", *more]) == 0
    return capsys.readouterr().out


def test_everything_as_json(space, capsys):
    told = json.loads(asked(capsys, "--json"))
    assert (told["target"], told["currency"]) == ("prod", "USD")
    jobs = {job["job"]: job for job in told["jobs"]}
    assert jobs["nextbest training"]["runs"] == 11
    assert jobs["nextbest training"]["failed_share"] == pytest.approx(1 / 11)
    assert jobs["nextbest training"]["cost"] == pytest.approx(45.0)
    assert jobs["nextbest training"]["cost_per_success"] == pytest.approx(5.0)  # 45 for 9
    assert jobs["nextbest training"]["not_billed_yet"] == 1
    assert told["cost"] == pytest.approx(45 + 6 + 0.35)
    assert (told["tasks"][0]["task"], told["tasks"][0]["median_seconds"]) == (
        "model_training",
        2070,
    )
    (last,) = [run for run in told["runs"] if run["run_id"] == "700"]
    assert (last["cost"], last["billing"]) == (None, "not billed yet")
    assert {day["job"] for day in told["days"]} >= {"(model serving)"}


def test_only_the_days_that_were_asked_for(space, capsys):
    told = json.loads(asked(capsys, "--json", "--days", "3"))
    assert {run["run_id"] for run in told["runs"]} == {f"{job}0{day}" for job in (7, 8)
                                                       for day in range(3)}  # fmt: skip


def test_people_get_tables(space, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    told = asked(capsys)
    assert "51.35 USD" in told
    assert "22 runs ended, 1 failed (5%); 2.68 USD per run that succeeded" in told
    assert re.search(r"nextbest training +model_training +11 +34 min 30 s", told)
    assert re.search(r"700 .* not billed yet", told)
    assert "2 runs not billed yet" in told
    assert "without discounts" in told


def test_the_page_needs_nothing_else(space, capsys, tmp_path):
    page = tmp_path / "costs.html"
    assert f"page: {page}" in asked(capsys, "--page", str(page)).replace("\n", "")
    text = page.read_text()
    assert not re.search(r"(src|href)=|@import|url\(|<script", text)
    assert text.count("<svg") == 2
    assert text.count("<circle") == 21
    assert text.count('class="failed"') == 1
    assert text.count("<rect") == 21  # ten days of two jobs, and one of serving
    assert "not billed yet" in text
    assert "nextbest &lt;inference&gt;" in text
    assert "<inference>" not in text
    assert "prefers-color-scheme:dark" in text
    assert TOKEN not in text


def test_a_warehouse_must_be_named(space, capsys):
    assert main(["costs", "-t", "prod"]) == 1
    assert "you may use w1 (Starter), w2 (Large)" in capsys.readouterr().err


def test_the_right_to_the_tables_is_named(space, capsys, monkeypatch):
    def refuse(statement, given):
        raise tables.Refused(403, "DENIED", "[INSUFFICIENT_PERMISSIONS] no USE SCHEMA on billing")

    space.kept["sql"]["engine"] = refuse
    assert main(["costs", "-t", "prod", "--warehouse", "w1"]) == 1
    told = capsys.readouterr().err
    assert "INSUFFICIENT_PERMISSIONS" in told
    assert "USE SCHEMA and SELECT on system.lakeflow and system.billing" in told


def test_a_query_that_never_ends_is_left(space, capsys, monkeypatch):
    monkeypatch.setattr(statements, "PATIENCE_SECONDS", 0)
    assert main(["costs", "-t", "prod", "--warehouse", "w1"]) == 1
    assert "has not ended" in capsys.readouterr().err


def test_names_of_development_are_shown_whole(space, capsys, monkeypatch, engine):
    monkeypatch.setenv("COLUMNS", "150")

    def renamed(statement, given):
        names, rows = engine(statement, given)
        new = {"nextbest training": "[dev me] training"}
        return names, [[new.get(each, each) for each in row] for row in rows]

    space.kept["sql"]["engine"] = renamed
    assert "[dev me] training  model_training" in re.sub(" {2,}", "  ", asked(capsys))


def test_jobs_without_tags_can_not_be_told_apart(space, capsys, monkeypatch):
    monkeypatch.chdir(ROOT / "tests/bundle/runs/retries")
    assert main(["costs", "--warehouse", "w1"]) == 2
    assert "have not the same tags project and stage" in capsys.readouterr().err


def test_a_result_that_was_cut_off_is_refused(space, capsys):
    space.kept["sql"]["truncates"] = True
    assert main(["costs", "-t", "prod", "--warehouse", "w1"]) == 1
    assert "too large; ask for fewer days" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--days 0", "one day at least"),
        ("--local --warehouse w1", "--warehouse: runs on this machine"),
        ("--lakehouse x", "it goes with --local"),
        ("--local --lakehouse {empty} --page {empty}/none/costs.html", "can't be written: No such"),
    ],
)
def test_what_can_not_be_is_told(space, capsys, words, told, tmp_path):
    assert main(["costs", "-t", "prod", *words.format(empty=tmp_path).split()]) == 2
    assert told in capsys.readouterr().err


def kept(lakehouse, number, **changes):
    """The record of a run that took a minute, of which its second attempt 20 seconds."""
    start = NOW - dt.timedelta(days=number)

    def at(seconds):
        return (start + dt.timedelta(seconds=seconds)).isoformat()

    attempts = (
        Attempt(1, "a", states.FAILED, at(0), at(30)),
        Attempt(2, "b", states.SUCCESS, at(40), at(60)),
    )
    task = TaskRecord("model_training", "notebook", states.SUCCESS, at(0), at(60), attempts)
    one = RunRecord(
        f"{start:%Y%m%d-%H%M%S}-000-aaaa", "training_job", "training", "nextbest", "prod", {},
        states.SUCCESS, at(0), 1, (task,), end=at(60),
    )  # fmt: skip
    folder = store.create(lakehouse, one.run_id)
    folder.write("run.json", to_json(dataclasses.replace(one, **changes)))
    folder.close()


def test_here_times_are_told_and_no_money(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "150")
    kept(tmp_path, 1)
    kept(tmp_path, 2, state=states.FAILED)
    kept(tmp_path, 3, target="dev")
    kept(tmp_path, 4, state=states.RUNNING, end=None)  # its process is gone
    kept(tmp_path, 50)
    later = (NOW - dt.timedelta(days=5, hours=-9)).isoformat()  # of a repair hours after
    kept(tmp_path, 5, job_key="repaired_job", repair_count=1, end=later)
    words = ["costs", "-t", "prod", "--local", "--lakehouse", str(tmp_path)]
    assert main([*words, "--page", str(tmp_path / "costs.html")]) == 0
    told = capsys.readouterr().out
    assert "4 runs ended, 2 failed (50%)" in told
    assert "runs on this machine are not billed" in told
    assert re.search(r"training_job +3 +2 \(67%\) +1 min 00 s", told)
    assert re.search(r"training_job +model_training +3 +50.0 s +50.0 s +3", told)
    assert "KILLED" in told
    assert re.search(r"repaired_job +1 +0 +50.0 s", told)
    page = (tmp_path / "costs.html").read_text()
    assert page.count("<svg") == 1
    assert "USD" not in page
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cost"] is None


def test_without_runs_it_says_how_to_make_one(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    assert main(["costs", "-t", "prod", "--local", "--lakehouse", str(tmp_path)]) == 0
    assert "`dbb run JOB --local` makes one" in capsys.readouterr().out
