"""A log by its mapping becomes the tables of every other source."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

from nextbest.cli import main
from nextbest.data import open_bandit
from nextbest.data.judging import judge
from nextbest.data.own_log.files import Dialect, read
from nextbest.data.own_log.reading import mapping_from, read_mapping
from nextbest.data.own_log.source import own_contracts, read_log
from nextbest.data.own_log.trial import try_mapping
from nextbest.data.quarantine import good_rows, rejected_rows
from nextbest.data.simulation import simulate
from nextbest.errors import DataError, SettingsError
from nextbest.platforms.local.catalog import LocalCatalog
from nextbest.settings import Settings

pytestmark = pytest.mark.integration

_ANY = {"str": "x", "int": 1, "float": 0.5, "dt.date": dt.date(2026, 5, 1)}
TIMED = "decisions: {decided_at: t, action_id: a, channel: {constant: mail}, eligible: all,"


@pytest.fixture
def settings():
    told = {field.name: _ANY[str(field.type)] for field in dataclasses.fields(Settings)}

    def make(source, mapping, **changes):
        return Settings(**{**told, "source": str(source), "mapping": str(mapping), **changes})

    return make


@pytest.fixture
def ingested(spark, spark_home, settings, tmp_path):
    """Good and rejected rows by table, as pandas, of a log by a mapping (its path, or its text)."""

    def run(log, mapping, **changes):
        if isinstance(mapping, str):
            path = tmp_path / "mapping.yml"
            path.write_text(mapping)
            mapping = path
        asked = settings(log, mapping, **changes)
        catalog = LocalCatalog(spark, spark_home, tmp_path)
        frames = read_log(spark, asked, tmp_path / "land", catalog.open_delta)
        contracts, good, found = own_contracts(read_mapping(mapping)), {}, {}
        for name, contract in contracts.items():
            known = {each.table: good[each.table] for each in contract.references}
            judged = judge(frames[name], contract, "log", asked.as_of, known)
            good[name] = good_rows(judged, contract)
            bad = rejected_rows(judged, contract, "log", "run")
            found[name] = (good[name].toArrow().to_pandas(), bad.toArrow().to_pandas())
        return found

    return run


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


def test_what_can_not_be_read_is_rejected_whole(ingested, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(
        "id,u,t,a,p,click,age\n1,u1,2026-01-01,x,0.5,1,30\n2,u2,soon,x,0.5,0,31\n"
        "3,u3,2026-01-02,y,half,1,32\n4,u4,2026-01-03,y,0.5,perhaps,old\n5,u5,2026-01-04\n"
        "6,u6,2026-01-05,y,0.5,0,36\n"
    )
    found = ingested(
        path,
        TIMED + " decision_id: id, customer_id: u, propensity: p}\n"
        "outcomes: {click: {reward: click, worth: 1}}\ncustomers: {age: number}\n",
    )
    good, bad = found["decisions"]
    assert set(good["decision_id"]) == {"1", "6"}
    rows = {json.loads(row).get("decision_id"): (json.loads(row), list(rules))
            for row, rules in zip(bad["row"], bad["rules"], strict=True)}  # fmt: skip
    assert rows["2"][0]["decided_at"] == "soon"
    assert "decided_at reads as timestamp" in rows["2"][1]
    assert rows["3"][0]["propensity"] == "half"
    assert "a line of 3 values, not 7: 5,u5,2026-01-04" in rows
    # Nor is its customer's age known to be right.
    assert rows["4"][1] == ["the whole row can be read", "customer_id is in customers"]
    assert rows["4"][0]["reason_code"] == (
        "the log: outcomes.click.reward: column 'click' is 'perhaps', which can't be read; "
        "customers.age: column 'age' is 'old', which can't be read"
    )
    outcomes = found["outcomes"]
    told = {(row := json.loads(text))["decision_id"]: row["reward"] for text in outcomes[1]["row"]}
    assert told == {"3": "1.0", "4": "perhaps"}
    assert set(outcomes[0]["decision_id"]) == {"1"}
    assert json.loads(found["customers"][1]["row"][0]) == {"customer_id": "u4", "age": "old"}


EXPRESSIONS = (
    "IF(x > 0, 1, 0)", "CASE WHEN x >= 1 THEN 1 WHEN city = 'S' THEN 0 ELSE 0 END", "x / 10",
    "COALESCE(x, 0) / 10", "IF(x IS NULL, 0, 1)", "IF(city = 'N', 1, x * 0)",
)  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [EXPRESSIONS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in EXPRESSIONS[1:])],
)
@pytest.mark.parametrize("engine", [False, True])
def test_an_expression_over_what_can_not_be_read_rejects_the_row(
    ingested, tmp_path, expression, engine
):
    from deltalake import write_deltalake

    xs = ["1", "n.a.", "1,5 EUR", "", "2", "0.5", "infinite", "1,5,0"]
    table = pa.table({
        "id": [str(k) for k in range(len(xs))], "u": [f"u{k % 2}" for k in range(len(xs))],
        "t": ["2026-01-01"] * len(xs), "a": ["p", "q"] * 4, "city": ["N", "S"] * 4, "x": xs,
    })  # fmt: skip
    log = tmp_path / "log.csv"
    arrow_csv.write_csv(table, log)
    if engine:
        log = tmp_path / "delta"
        write_deltalake(str(log), table)
    text = (
        "log: {numbers: [x]}\n" + TIMED + " decision_id: id, customer_id: u, propensity: uniform}\n"
        f'outcomes: {{good: {{reward: {{expression: "{expression}", empty: 0}}, worth: 1}}}}\n'
    )
    found = ingested(log, text)
    good, bad = found["decisions"]
    assert set(good["decision_id"]) == {"0", "3", "4", "5"}
    told = {json.loads(row)["decision_id"]: json.loads(row)["reason_code"] for row in bad["row"]}
    assert told == {
        str(k): f"the log: outcomes.good.reward: column 'x' is '{xs[k]}', which can't be read"
        for k in (1, 2, 6, 7)
    }
    assert {json.loads(row)["reward"] for row in found["outcomes"][1]["row"]} <= set(xs)
    assert {json.loads(row)["decision_id"] for row in found["outcomes"][1]["row"]} == set(told)


def test_a_decision_of_which_can_not_be_told_what_came_is_rejected(ingested, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "u,t,a,click,paid,seen\nu1,2026-01-02,x,1,5,2026-01-03\nu2,2026-01-02,x,,5,2026-01-03\n"
        "u3,2026-01-02,y,7,5,2026-01-03\nu4,2026-01-02,y,1,,2026-01-03\n"
        "u5,2026-01-02,y,1,5,\nu6,2026-01-02,y,1,5,2026-01-01\nu7,2026-01-02,y,0,,\n"
    )
    text = TIMED + (
        " customer_id: u, propensity: uniform}\n"
        "outcomes: {c: {reward: click, value: paid, worth: 1, observed_at: seen}}\n"
    )
    found = ingested(log, text)
    good, bad = found["decisions"]
    assert sorted(good["customer_id"]) == ["u1", "u7"]
    told = {json.loads(row)["customer_id"]: json.loads(row)["reason_code"] for row in bad["row"]}
    assert told == {
        "u2": "the log: outcomes.c.reward is empty",
        "u3": "the log: outcomes.c.reward is not within 0 and 1",
        "u4": "the log: outcomes.c.value is empty",
        "u5": "the log: outcomes.c.observed_at is empty",
        "u6": "the log: outcomes.c.observed_at is before decided_at",
    }
    tried = try_mapping(read(log, Dialect()), mapping_from(text, "m.yml"), "log")
    assert (tried.rows, tried.rejected) == (7, len(bad))


def test_what_the_trial_counts_is_what_is_rejected(ingested, tmp_path):
    draw = random.Random(8)
    rows = [
        ",".join((
            draw.choice([f"d{k}"] * 30 + ["", "d3"]),
            draw.choice(["u1", "u2", "u3"] * 9 + [""]),
            draw.choice(["2026-01-02", "2026-01-05 10:00"] * 9 + ["soon", ""]),
            draw.choice(["x", "y", "none"] * 9 + [""]),
            draw.choice(["0.5"] * 20 + ["2", "0", "p", ""]),
            draw.choice(["0", "1"] * 9 + ["", "3", "so"]),
            draw.choice(["5", ""] * 9 + ["much"]),
            draw.choice(["30", ""] * 9 + ["old"]),
            draw.choice(["", "2026-02-01"] * 9 + ["2025-01-01"]),
        ))
        for k in range(600)
    ]  # fmt: skip
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["id,u,t,a,p,click,paid,age,seen", *rows, "9,broken"]))
    text = "log: {numbers: [click]}\n" + TIMED + (
        " decision_id: id, customer_id: u, propensity: p}\noutcomes: {c: {reward: {expression: "
        "'IF(click >= 1, click, 0)'}, value: {column: paid, empty: 1}, worth: 1, "
        "observed_at: seen}}\ncustomers: {age: number}\n"
    )  # fmt: skip
    tried = try_mapping(read(log, Dialect()), mapping_from(text, "m.yml"), "log")
    good, bad = ingested(log, text)["decisions"]
    assert (tried.rows, tried.rejected) == (601, len(bad))
    assert 100 < len(bad) < 500
    assert len(good) + len(bad) == 601


def test_columns_that_the_log_lacks_are_told_before_anything_is_read(ingested, tmp_path):
    (tmp_path / "log.csv").write_text("u,t,a\nu1,2026-01-02,x\n")
    text = TIMED + " customer_id: who, propensity: uniform}\noutcomes: {c: {reward: c, worth: 1}}\n"
    told = (
        "decisions.customer_id wants 'who'; outcomes.c.reward wants 'c'; there are u, t, a "
        r"\(what is the same in every row is {constant: who}\)"
    )
    with pytest.raises(DataError, match=told):
        ingested(tmp_path / "log.csv", text)


@pytest.mark.parametrize("number", ["nan", "inf", pytest.param("-inf", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_no_finite_number_is_no_number(ingested, tmp_path, kind, number):
    """Also where all others are one value, which the engine once took for a constant."""
    log = pd.DataFrame({"u": [f"u{k}" for k in range(6)], "t": "2026-01-01", "a": list("xyxyxy")})
    log = log.assign(p=0.5, click=1, age=[float(number), *[30.0] * 5])
    if kind == "csv":
        log.to_csv(tmp_path / "log.csv", na_rep="nan", index=False)
    else:
        pq.write_table(pa.Table.from_pandas(log, preserve_index=False), tmp_path / "log.parquet")
    found = ingested(
        tmp_path / f"log.{kind}",
        TIMED + " customer_id: u, propensity: p}\n"
        "outcomes: {click: {reward: click, worth: 1}}\ncustomers: {age: number}\n",
    )
    good, bad = found["customers"]
    ages = good.set_index("customer_id")["age"]
    assert (ages.drop("u0", errors="ignore") == 30.0).all()
    if number == "nan":  # as pandas and CSV write what is not known
        assert (ages.isna().sum(), len(bad)) == (1, 0)
    else:
        assert (len(ages), len(bad)) == (5, 1)
        assert json.loads(bad["row"][0])["age"].lower().startswith(number[:3])


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


def test_nan_in_somebodys_table_is_no_other_rows_value(ingested, tmp_path):
    """The engine would take them for 7.0: their files' statistics know of nothing else."""
    from deltalake import write_deltalake

    table = pa.table({
        "id": ["a", "b", "c"], "u": ["1", "2", "3"], "t": ["2026-01-01"] * 3, "a": ["p"] * 3,
        "points": [7.0, float("nan"), 7.0],
    })  # fmt: skip
    write_deltalake(str(tmp_path / "delta"), table)
    text = (
        TIMED + " decision_id: id, customer_id: u, propensity: uniform}\n"
        "customers: {points: number}\noutcomes: {good: {reward: {constant: 1}, "
        "worth: 1}}\n"
    )
    good, _ = ingested(tmp_path / "delta", text)["customers"]
    points = good.set_index("customer_id")["points"]
    assert points["1"] == points["3"] == 7.0
    assert pd.isna(points["2"])


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


def test_a_missing_file_is_told(ingested, tmp_path):
    with pytest.raises(DataError, match="gone.csv: no such file"):
        ingested(tmp_path / "gone.csv", TIMED + " propensity: uniform}\n"
                 "outcomes: {c: {reward: c, worth: 1}}\n")  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_gigabyte_is_inspected_in_flat_memory(tmp_path):
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    peaks = []
    for path, size in ((small, 60_000_000), (large, 1_000_000_000)):
        _awkward(path, size)
        code = (
            "import resource, sys\nfrom nextbest.cli import main\n"
            f"code = main(['inspect-log', {str(path)!r}, '--json'])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
            "sys.exit(code)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        path.unlink()
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert told["rejected"] == 0
        formats = told["mapping"]["decisions"]["decided_at"]["formats"]
        assert set(formats) == {"%d/%m/%Y %H:%M", "iso"}
        peaks.append(int(done.stderr.split()[-1]) * 1024)
        print(path.name, told["rows"], peaks[-1])
    # Ids take 8 bytes each, and as much again while they are sorted: 190 MB; nothing else grows.
    assert peaks[1] - peaks[0] < 300_000_000, peaks


def _awkward(path, size):
    """A mark, semicolons, quotes, two formats of dates, decimal commas, a header twice."""
    head = "id;cliente;fecha;oferta;canal;probabilidad;clic;importe;edad;edad;comentario\r\n"
    offers = [('"Ofrecer ""más"""', "0,5"), ("Ahorro", "0,3"), ("Nada", "0,2")]
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        file.write(head)
        done = 0
        while file.tell() < size:
            lines = []
            for row in range(done, done + 20_000):
                draw = (row * 2_654_435_761) % 1000 / 1000
                offer, chance = offers[0 if draw < 0.5 else 1 if draw < 0.8 else 2]
                day, month, hour = 1 + row % 28, 1 + row % 3, row % 24
                when = f"{day:02d}/{month:02d}/2026 {hour:02d}:30"
                if row % 5 == 0:
                    when = f"2026-{month:02d}-{day:02d}T{hour:02d}:30:00Z"
                click = int(row % 11 == 0)
                money = "1.234,50" if click else "0,00"
                lines.append(
                    f"{row};C{row % 99_991};{when};{offer};email;{chance};{click};"
                    f'{money};{18 + row % 60};{row % 7};"uno; ""dos"""\r\n'
                )
            file.write("".join(lines))
            done += 20_000


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
