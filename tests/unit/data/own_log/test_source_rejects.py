"""What of a log can not be read is rejected and told, and never taken for something else."""

from __future__ import annotations

import json
import random

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest
from own_logs import TIMED

from nextbest.data.own_log.files import Dialect, read
from nextbest.data.own_log.reading import mapping_from
from nextbest.data.own_log.trial import try_mapping
from nextbest.errors import DataError

pytestmark = pytest.mark.integration


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


def test_a_missing_file_is_told(ingested, tmp_path):
    with pytest.raises(DataError, match="gone.csv: no such file"):
        ingested(tmp_path / "gone.csv", TIMED + " propensity: uniform}\n"
                 "outcomes: {c: {reward: c, worth: 1}}\n")  # fmt: skip
