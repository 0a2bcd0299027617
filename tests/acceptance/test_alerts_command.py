"""`dbb alerts` and `dbb alerts ack`, on this machine and over a warehouse: the same answers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from assessed import moved
from workspace.identity import ME
from workspace.server import TOKEN, Workspace

from nextbest import tables
from nextbest.bundle import find_root, load
from nextbest.cli import main
from nextbest.commands.explain import settings_of
from nextbest.errors import PlatformError
from nextbest.lifecycle.alerting import send_alerts
from nextbest.lifecycle.responding import respond
from nextbest.monitoring.alerts import alert_id
from nextbest.monitoring.verdict import PSI, Drifted
from nextbest.platforms.local.session import open_session

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DAY = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A lakehouse, a session over it, and dev's settings for yesterday."""
    home = tmp_path_factory.mktemp("alerts")
    bundle = load(find_root(ROOT), "dev", {}, getpass.getuser())
    settings = dataclasses.replace(settings_of(bundle), as_of=DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEXTBEST_LAKEHOUSE", str(home))
        spark = open_session(home, [f"{settings.catalog}.{settings.schema}"])
        yield home, spark, settings
        spark.stop()


@pytest.fixture
def told(opened):
    """The same with yesterday's alerts of dev's model, and nothing else."""
    _, spark, settings = opened
    for name in ("alerts", "responses", "alert_deliveries", "alert_acknowledgements"):
        if tables.exists(spark, settings.table(name)):
            spark.sql(f"DELETE FROM {settings.table(name)}").collect()
    judge(opened, 0, x=0.9, y=0.3)
    send_alerts(settings, spark)
    return opened


def judge(opened, day, **values):
    """Write down what was found so many days after yesterday."""
    _, spark, settings = opened
    of_day = dataclasses.replace(settings, as_of=DAY + dt.timedelta(days=day))
    found = tuple(Drifted(name, PSI, value, 0.2) for name, value in values.items())
    respond(of_day, spark, "1", moved(found))


def open_ones(opened):
    """What the bundle's alert counts."""
    bundle = load(find_root(ROOT), "dev", {}, getpass.getuser())
    (alert,) = bundle.resources["alerts"].values()
    return opened[1].sql(f"SELECT open FROM ({alert['query_text']})").first()["open"]


@pytest.fixture
def workspace():
    with closing(Workspace()) as space:
        yield space


@pytest.fixture(params=["here", "there"])
def dbb(request, told, monkeypatch, capsys, workspace):
    """Run dbb on the lakehouse or on a warehouse that asks it: words → (code, out, err)."""
    home, spark, settings = told
    monkeypatch.chdir(ROOT)
    place = ["--local", "--lakehouse", str(home)]
    # The session that is there already: an engine for each call would take seconds.
    monkeypatch.setattr("nextbest.platforms.local.session.open_session", lambda *where: spark)
    if request.param == "there":
        space = workspace
        place = ["--warehouse", "w1"]
        space.kept["warehouses"]["w1"] = "Starter"

        def engine(statement, given):
            if statement.strip().startswith("MERGE"):  # the engine takes no parameters for one
                for name, text in given.items():
                    statement = statement.replace(f":{name} ", f"'{text}' ")
                given = {}
            frame = spark.sql(statement, args=dict(given))
            rows = [[None if v is None else str(v) for v in row] for row in frame.collect()]
            return frame.columns, rows

        space.kept["sql"]["engine"] = engine
        monkeypatch.setenv("DATABRICKS_HOST", space.url)
        monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(home / "none"))
        monkeypatch.setattr("nextbest.platforms.databricks.statements.POLL_SECONDS", 0)

    def run(*words):
        code = main([*words, "-t", "dev", *place])
        out, err = capsys.readouterr()
        return code, out, err

    run.who = ME if request.param == "there" else getpass.getuser()
    return run


def test_alerts_are_listed_worst_first_and_acknowledged_by_how_an_id_begins(dbb, told):
    _, spark, settings = told
    code, out, _ = dbb("alerts", "--json")
    found = json.loads(out)
    assert code == 1  # a critical one is open
    assert [(each["severity"], each["text"].split(":")[0], each["told"], each["delivered"],
             each["undelivered"]) for each in found] == [
        ("critical", "x", "new", 1, 0), ("warning", "y", "new", 1, 0)
    ]  # fmt: skip
    assert {each["response"] for each in found} == {"drift starts training_job"}
    number = alert_id(settings.model, DAY, "drift", "x")
    assert found[0]["alert_id"] == number
    for reason in ("first guess", "a new price list"):
        code, out, _ = dbb("alerts", "ack", number[:6], "--reason", reason)
        assert (code, out) == (0, f"{number} is acknowledged by {dbb.who}\n")
    code, out, _ = dbb("alerts")
    assert code == 0
    assert "a new price list" in " ".join(out.split())
    assert "first guess" not in out
    code, out, _ = dbb("alerts", "--since", "2999-01-01")
    assert (code, out) == (0, "no alerts\n")


def test_what_is_meant_must_be_clear(dbb):
    assert "dbb: no alert of" in dbb("alerts", "ack", "zz", "--reason", "r")[2]
    assert "2 alerts" in dbb("alerts", "ack", "", "--reason", "r")[2]
    assert "say what is done about it" in dbb("alerts", "ack", "a", "--reason", " ")[2]
    for number in ("0", "99999999999"):
        code, _, said = dbb("alerts", "--days", number)
        assert (code, f"--days {number}: one day at least" in said) == (2, True)
    for day in ("2026-13-01", "yesterday", ""):
        code, _, said = dbb("alerts", "--since", day)
        assert (code, f"--since '{day}' is no day: write one like 2026-01-31" in said) == (2, True)


def test_days_are_counted_with_today(dbb):
    """The only alerts are yesterday's."""
    assert dbb("alerts", "--days", "1")[:2] == (0, "no alerts\n")
    assert str(DAY) in dbb("alerts", "--days", "2")[1]


def test_without_tables_it_says_what_makes_them(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["alerts", "--local", "--lakehouse", str(tmp_path)]) == PlatformError.exit_code
    assert "`dbb run monitoring_job -t dev --local` makes it" in capsys.readouterr().err


def test_an_acknowledgement_is_of_the_whole_episode_until_it_is_worse(dbb, told):
    _, spark, settings = told

    def ack(day, subject, reason):
        number = alert_id(settings.model, DAY + dt.timedelta(days=day), "drift", subject)
        assert dbb("alerts", "ack", number, "--reason", reason)[0] == 0

    def acknowledged():
        found = json.loads(dbb("alerts", "--json")[1])
        return {(a["as_of"], a["text"][0]): a["acknowledged_because"] for a in found}

    days = [str(DAY + dt.timedelta(days=number)) for number in range(3)]
    ack(0, "x", "first")
    ack(0, "y", "seen")
    judge(told, 1, x=0.9, y=0.3)
    assert dbb("alerts")[0] == 0
    assert open_ones(told) == 0
    ack(1, "x", "second")  # a newer one takes its place, and there is still one row per alert
    assert acknowledged() == {
        (days[1], "x"): "second", (days[0], "x"): "second",
        (days[1], "y"): "seen", (days[0], "y"): "seen",
    }  # fmt: skip
    judge(told, 2, x=0.9, y=0.5)
    assert dbb("alerts")[0] == 1
    assert open_ones(told) == 1
    assert acknowledged()[days[2], "y"] is None
    ack(2, "y", "worse, and looked after")
    assert dbb("alerts")[0] == 0
    assert open_ones(told) == 0


def test_alerts_of_before_there_were_episodes_are_listed_and_acknowledged(dbb, told):
    home, spark, settings = told
    table = settings.table("alerts")
    older = spark.table(table).drop("episode")
    rows, columns = older.collect(), older.schema
    spark.sql(f"DROP TABLE {table}").collect()
    shutil.rmtree(home.joinpath(*table.split(".")))  # the engine keeps it
    tables.merge(spark.createDataFrame(rows, columns), table, ["alert_id"])
    assert "episode" not in spark.table(table).columns
    assert (dbb("alerts")[0], open_ones(told)) == (1, 1)
    number = alert_id(settings.model, DAY, "drift", "x")
    assert dbb("alerts", "ack", number, "--reason", "r")[0] == 0
    assert (dbb("alerts")[0], open_ones(told)) == (0, 0)
    judge(told, 1)  # a quiet day adds the column, too
    assert "episode" in spark.table(table).columns
    judge(told, 1, x=0.9)
    assert (dbb("alerts")[0], open_ones(told)) == (0, 0)


def test_the_alert_of_the_bundle_asks_what_the_tables_can_answer(told):
    """Its query, as it is deployed: open are the critical alert, unless acknowledged."""
    _, spark, settings = told
    assert open_ones(told) == 1
    number = alert_id(settings.model, DAY, "drift", "x")
    acks = settings.table("alert_acknowledgements")
    spark.sql(f"INSERT INTO {acks} VALUES ('{number}', current_timestamp(), 'me', 'why')").collect()
    assert open_ones(told) == 0
    sent = settings.table("alert_deliveries")  # of a finding of long ago, tried today
    spark.sql(f"UPDATE {sent} SET state = 'failed', as_of = DATE '2020-01-01'").collect()
    assert open_ones(told) == 1
    spark.sql(f"UPDATE {sent} SET state = 'delivered'").collect()
    assert open_ones(told) == 0
    spark.sql(f"DELETE FROM {settings.table('responses')}").collect()
    assert open_ones(told) == 1
