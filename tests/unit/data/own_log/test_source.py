"""A log by its mapping becomes the tables of every other source."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest
from own_logs import TIMED

from nextbest.cli import main
from nextbest.data import open_bandit
from nextbest.data.simulation import simulate
from nextbest.errors import DataError, SettingsError
from nextbest.settings import Settings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("name", "rejected"),
    [
        ("windows", 1),
        *(
            pytest.param(name, 0, marks=pytest.mark.slow)
            for name in ("hillstrom", "dsjson", "criteo", "utf16", "american")
        ),
    ],
)
def test_the_proposed_mapping_ingests(log_of, ingested, tmp_path, capsys, name, rejected):
    path = tmp_path / "proposed.yml"
    assert main(["inspect-log", str(log_of(name)), "--write", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    tables = ingested(log_of(name), path, as_of=dt.date(2027, 1, 1))
    good, bad = tables["decisions"]
    assert (len(good), len(bad)) == (told["rows"] - rejected, rejected)
    assert told["rejected"] == rejected
    assert good["propensity"].between(0, 1, inclusive="right").all()
    for table in ("customers", "actions", "outcomes"):
        assert len(tables[table][0]) > 0
        assert len(tables[table][1]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["random", pytest.param("bts", marks=pytest.mark.slow)])
def test_open_bandit_logs_come_in_as_their_own_reader_has_them(
    spark, ingested, tmp_path, capsys, policy
):
    log = open_bandit._file("dataset", "obd", policy, "men", "men.csv")
    path = tmp_path / "proposed.yml"
    assert main(["inspect-log", str(log), "--write", str(path)]) == 0
    found = ingested(log, path)
    theirs = open_bandit.read(spark, "men", dt.date(2026, 5, 1))
    wanted = theirs["decisions"].where(f"policy = '{policy}'").toArrow().to_pandas()
    ours = found["decisions"][0]
    assert len(ours) == len(wanted) == 10_000
    # Ours are named by the row's number, theirs too, from 0.
    order = [f"men-{int(text.rpartition('-')[2]) + 1}" for text in wanted["decision_id"]]
    ours = ours.set_index("decision_id").loc[order]
    assert ours["action_id"].tolist() == wanted["action_id"].tolist()
    assert ("position-" + ours["channel"]).tolist() == wanted["channel"].tolist()
    # pandas, which reads theirs, is off by the last digit here and there.
    assert ours["propensity"].tolist() == pytest.approx(wanted["propensity"].tolist(), rel=1e-12)
    assert ours["decided_at"].tolist() == wanted["decided_at"].tolist()
    assert len(found["outcomes"][0]) == {"random": 46, "bts": 69}[policy]
    if policy == "random":  # the other never chose some items at some positions
        assert set(ours["eligible"].map(len)) == {34}


def test_the_simulated_log_under_other_names(spark, ingested, small_world, tmp_path, capsys):
    day = dt.date(2026, 1, 20)
    frames = simulate(spark, small_world(drift_from=day, decisions_per_day=300), day, None)
    log = frames["decisions"].toArrow().to_pandas()
    paid = frames["outcomes"].where("kind = 'response'").toArrow().to_pandas()
    log = log.merge(paid[["decision_id", "observed_at", "value"]], on="decision_id", how="left")
    customers = frames["customers"].toArrow().to_pandas()
    log = log.merge(customers[["customer_id", "segment", "tenure_months"]], on="customer_id")
    export = pd.DataFrame({
        "Impression": log["decision_id"], "Member ID": log["customer_id"],
        "shown": log["decided_at"].dt.strftime("%d/%m/%Y %H:%M:%S.%f"),
        "candidates": log["eligible"].map("|".join), "offer": log["action_id"],
        "medium": log["channel"], "chance": log["propensity"].map(repr),
        "converted": log["value"].notna().astype(int), "revenue": log["value"].fillna(0.0),
        "seen": log["observed_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "tenure": log["tenure_months"], "tier": log["segment"],
    })  # fmt: skip
    export.to_csv(tmp_path / "export.csv", index=False, sep="\t")
    path = tmp_path / "proposed.yml"
    assert main(["inspect-log", str(tmp_path / "export.csv"), "--write", str(path)]) == 0
    found = ingested(tmp_path / "export.csv", path)
    ours, bad = found["decisions"]
    assert len(bad) == 0
    ours = ours.set_index("decision_id").loc[log["decision_id"]]
    for name in ("customer_id", "treatment", "propensity", "decided_at"):
        assert ours[name].tolist() == log[name].tolist(), name
    assert [sorted(each) for each in ours["eligible"]] == [sorted(e) for e in log["eligible"]]
    came = found["outcomes"][0].set_index("decision_id").loc[paid["decision_id"]]
    assert came["value"].tolist() == pytest.approx(paid["value"].tolist())
    assert came["observed_at"].tolist() == paid["observed_at"].tolist()
    kept = found["customers"][0].set_index("customer_id")["tier"]
    assert kept.to_dict() == dict(zip(log["customer_id"], log["segment"], strict=True))


@pytest.mark.slow
def test_a_trials_shares_are_counted_within_what_it_was_random_in(ingested, tmp_path):
    rows = [("u", "2026-01-01", "a", "N")] * 3 + [("v", "2026-01-02", "b", "N")]
    rows += [("w", "2026-01-01", "a", "S"), ("x", "2026-01-02", "b", "S")]
    lines = ["u,t,a,city,click", *[f"{u},{t},{a},{city},1" for u, t, a, city in rows]]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    text = TIMED + " propensity: %s}\noutcomes: {click: {reward: click, worth: 1}}\n"
    found = ingested(tmp_path / "log.csv", text % "{empirical: [city]}")["decisions"][0]
    assert sorted(found["propensity"]) == [0.25, 0.5, 0.5, 0.75, 0.75, 0.75]
    found = ingested(tmp_path / "log.csv", text % "empirical")["decisions"][0]
    assert sorted(found["propensity"]) == [1 / 3] * 2 + [2 / 3] * 4
    found = ingested(tmp_path / "log.csv", text % "uniform")["decisions"][0]
    assert set(found["propensity"]) == {0.5}
    with pytest.raises(DataError, match="propensity is unknown: without the chance"):
        ingested(tmp_path / "log.csv", text % "unknown")


def test_a_channel_with_a_colon_stays_one(ingested, tmp_path):
    (tmp_path / "log.csv").write_text(
        "u,t,a,ch,click\nu1,2026-01-01,A,ad:mobile,1\nu2,2026-01-02,none,,0\n"
    )
    text = TIMED.replace("{constant: mail}", "ch") + (
        " propensity: uniform}\noutcomes: {click: {reward: click, worth: 1}}\n"
    )
    actions = ingested(tmp_path / "log.csv", text)["actions"][0].sort_values("treatment")
    assert actions[["treatment", "action_id", "channel"]].values.tolist() == [
        ["A:ad:mobile", "A", "ad:mobile"], ["none", "none", "none"],
    ]  # fmt: skip


def test_actions_are_valid_in_their_time_and_told_by_a_file(ingested, tmp_path):
    (tmp_path / "log.csv").write_text(
        "u,t,a,click\nu1,2026-01-01,x,1\nu2,2026-01-10,y,0\nu3,2026-01-10,x,0\n"
    )
    (tmp_path / "actions.csv").write_text(
        "action_id,channel,cost,valid_from,valid_to\nx,mail,0.5,,2026-01-05\ny,mail,,2026-01-05,\n"
        "z,mail,,,\n"
    )
    text = TIMED + " propensity: uniform}\noutcomes: {click: {reward: click, worth: 1}}\n"
    found = ingested(tmp_path / "log.csv", text + "actions: {file: actions.csv}\n")
    actions = found["actions"][0].set_index("action_id")
    assert actions.loc[["x", "y", "z"], "cost"].tolist() == [0.5, 0.0, 0.0]
    good, bad = found["decisions"]
    sets = good.sort_values("customer_id")["eligible"].map(sorted).tolist()
    assert sets == [["x:mail", "z:mail"], ["y:mail", "z:mail"]]
    assert len(bad) == 1  # x was chosen after its time
    assert "treatment is eligible" in bad["rules"][0]
    (tmp_path / "actions.csv").write_text("action_id,chanel,cost\nx,mail,much\n")
    with pytest.raises(DataError, match="no column channel; unknown column chanel"):
        ingested(tmp_path / "log.csv", text + "actions: {file: actions.csv}\n")


@pytest.mark.slow
def test_a_delta_folder_and_a_table_are_opened_by_the_platform(spark, ingested, log_of, tmp_path):
    from deltalake import write_deltalake

    table = arrow_csv.read_csv(log_of("american"), read_options=arrow_csv.ReadOptions(skip_rows=1))
    table = table.append_column("n", pa.array([f"n{k}" for k in range(len(table))]))
    write_deltalake(str(tmp_path / "delta"), table)
    text = (
        "decisions: {decision_id: n, customer_id: customer, decided_at: {column: date, formats: "
        "['%m/%d/%Y %I:%M %p']}, action_id: offer, channel: {constant: web}, eligible: all, "
        "propensity: prob}\noutcomes: {click: {reward: clicked, worth: 1}}\n"
    )
    later = {"as_of": dt.date(2027, 1, 1)}
    by_folder = ingested(tmp_path / "delta", text, **later)["decisions"][0]
    assert len(by_folder) == len(table)
    name = "juan_dev.ml_nba_demo_dev.somebodys_log"
    spark.createDataFrame(table).write.format("delta").mode("overwrite").saveAsTable(name)
    by_name = ingested(name, text, **later)["decisions"][0]
    pd.testing.assert_frame_equal(
        by_name.sort_values("decision_id", ignore_index=True),
        by_folder.sort_values("decision_id", ignore_index=True),
    )
    with pytest.raises(DataError, match="rows of the table .* have no number"):
        ingested(name, text.replace("decision_id: n, ", ""), **later)
    with pytest.raises(DataError, match="lacks columns: decisions.action_id wants 'ofer'"):
        ingested(name, text.replace("action_id: offer", "action_id: ofer"), **later)


@pytest.mark.slow
def test_the_same_log_gives_the_same_rows_and_a_later_day_only_more(ingested, log_of, tmp_path):
    path = tmp_path / "proposed.yml"
    assert main(["inspect-log", str(log_of("windows")), "--write", str(path)]) == 0
    early = ingested(log_of("windows"), path, as_of=dt.date(2026, 2, 1))["decisions"][0]
    late = ingested(log_of("windows"), path)["decisions"][0].set_index("decision_id")
    assert 0 < len(early) < len(late)
    pd.testing.assert_frame_equal(
        late.loc[early["decision_id"]].drop(columns="eligible"),
        early.set_index("decision_id").drop(columns="eligible"),
    )
    with pytest.raises(DataError, match="lies before 'as_of' 2025-01-01: they are of 2026-01"):
        ingested(log_of("windows"), path, as_of=dt.date(2025, 1, 1))


def test_days_of_a_log_that_is_later_are_those_of_utc(ingested, tmp_path, in_lima):
    (tmp_path / "log.csv").write_text("u,t,a,c\n1,2026-03-01,p,1\n2,2026-03-04,q,0\n")
    text = TIMED + " propensity: uniform}\noutcomes: {c: {reward: c, worth: 1}}\n"
    with pytest.raises(DataError, match="they are of 2026-03-01 to 2026-03-04; use a later day"):
        ingested(tmp_path / "log.csv", text, as_of=dt.date(2026, 3, 1))


def test_settings_tell_a_log_of_ones_own_from_the_others(settings):
    one, other = settings("a/log.csv", "m.yml"), settings("b/log.csv", "m.yml")
    assert one.own_log
    assert not settings("simulated", "none").own_log
    assert one.dataset.startswith("log_csv_")
    assert one.dataset != other.dataset
    assert one.dataset == settings("a/log.csv", "m.yml").dataset
    values = {field.name: str(getattr(one, field.name)) for field in dataclasses.fields(one)}
    values |= {"platform": "local", "campaign": "all", "release_to": "staging", "drift": "none"}
    values |= {"model_version": "candidate", "profiling": "own", "drift_windows": "3 of 4"}
    assert Settings.parse(values).own_log
    for changes, told in (
        ({"mapping": "none"}, "`dbb inspect-log` makes one"),
        ({"source": "simulated"}, "'mapping' is 'm.yml', but 'source' is simulated"),
        ({"source": "simulate"}, "a path or table of a log"),
    ):
        with pytest.raises(SettingsError, match=told):
            Settings.parse(values | changes)
