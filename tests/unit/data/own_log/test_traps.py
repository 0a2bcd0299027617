"""Logs whose obvious reading is wrong: it is read rightly, or the command says why not."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from own_logs import SHARES, rows_of

from nextbest.cli import main
from nextbest.commands.log_sample import draw_sample
from nextbest.data.own_log.files import Rows

pytestmark = pytest.mark.integration


def chances(frame, name, function):
    return frame.assign(propensity=frame["propensity"].map(function)).rename(
        columns={"propensity": name}
    )


@pytest.mark.parametrize(
    ("name", "function", "expected"),
    [
        ("propensity", lambda p: 100 * p, {"expression": "`propensity` / 100"}),
        ("share", lambda p: f"{100 * p:.1f} %", "unknown"),  # named like nothing
        ("chance", lambda p: f"{100 * p:.1f} %", "chance"),
        ("prob_pct", lambda p: 100 * p, {"expression": "`prob_pct` / 100"}),
        ("ipw", lambda p: 1 / p, {"expression": "1 / `ipw`"}),
        ("pscore", lambda p: p, "pscore"),
    ],
)
def test_a_chance_is_read_on_its_scale(inspected, name, function, expected):
    code, told = inspected(chances(rows_of(), name, function))
    assert told["mapping"]["decisions"]["propensity"] == expected
    assert code == (1 if expected == "unknown" else 0), told["missing"]
    assert told["rejected"] == 0


@pytest.mark.parametrize(
    ("name", "function", "told_"),
    [
        ("propensity_logit", lambda p: math.log(p / (1 - p)), "if it is a logit"),
        ("log_prob", math.log, "if it is a logarithm"),
        ("propensity", lambda p: 1000 * p, "neither a share nor per cent"),
        ("propensity", lambda p: p / 3, "counted 1/p times each, would stand for"),
        ("probs", lambda p: f"[{p}, {1 - p}]", "holds lists"),
    ],
)
def test_what_is_no_chance_of_the_choice_is_refused(inspected, name, function, told_):
    code, told = inspected(chances(rows_of(), name, function))
    assert code == 1
    assert told["mapping"]["decisions"]["propensity"] == "unknown"
    assert any(f"the propensity: {name}" in each and told_ in each for each in told["missing"])


@pytest.mark.parametrize("name", ["propensity_to_buy", "churn_probability", "click_prob", "p_conv"])
def test_a_models_word_is_no_propensity(inspected, name):
    _, told = inspected(rows_of().rename(columns={"propensity": name}))
    assert told["mapping"]["decisions"]["propensity"] == "unknown"
    assert any(each.startswith(f"{name}: a model's word") for each in told["left_out"])
    _, told = inspected(rows_of().assign(**{name: 0.4}))
    assert told["mapping"]["decisions"]["propensity"] == "propensity"


@pytest.mark.parametrize("names", [("prob_a", "prob_b", "prob_c"), ("a_p", "b_p", "c_p")])
def test_a_chance_for_each_arm_is_that_of_the_chosen_one(inspected, names):
    frame = rows_of().drop(columns="propensity")
    frame = frame.assign(**dict(zip(names, SHARES.values(), strict=True)))
    code, told = inspected(frame)
    expected = " ".join(f"WHEN `offer` = '{arm}' THEN `{name}`"
                        for arm, name in zip(SHARES, names, strict=True))  # fmt: skip
    assert code == 0
    assert told["mapping"]["decisions"]["propensity"] == {"expression": f"CASE {expected} END"}
    assert told["mapping"]["log"]["numbers"] == list(names)
    assert "customers" not in told["mapping"]


def test_rows_that_are_events_or_candidates_are_no_decisions(inspected):
    frame = rows_of()
    frame.insert(0, "request_id", np.arange(len(frame)) // 3)
    code, told = inspected(frame)
    assert code == 1
    assert any("request_id has 500 values in 1,500 rows" in each for each in told["missing"])
    frame["request_id"] = np.arange(len(frame))
    frame.loc[7, "request_id"] = 6  # one line came twice
    code, told = inspected(frame)
    assert code == 0
    assert told["mapping"]["decisions"]["decision_id"] == "request_id"
    assert (told["rejected"], told["reasons"]) == (2, {"decision_id is on several rows": 2})
    events = rows_of().assign(event_type=lambda f: f["clicked"].map({0: "shown", 1: "click"}))
    assert any("event_type tells what happened" in each for each in inspected(events)[1]["missing"])


def test_a_sorted_log_is_seen_to_its_end(inspected):
    frame = rows_of(6000).sort_values("offer")
    code, told = inspected(frame, "log.csv", "--sample", "1000")
    assert (code, told["sampled"], told["rows"]) == (0, 1000, 6000)
    code, told = inspected(frame, "log.csv", "--sample", "1000", "--only-sample")
    assert code == 1
    assert any("offer is always 'A'" in each for each in told["missing"])
    assert any("only the first 1,000 rows were looked at" in each for each in told["unsure"])


def test_a_sample_is_drawn_alike_and_in_order():
    batches = [Rows(pa.table({"x": np.arange(at, at + 1000)}), at + 1)
               for at in range(0, 50_000, 1000)]  # fmt: skip
    sampled = draw_sample(batches, 2000, True, lambda rows: None)
    found = sampled.rows["x"].to_numpy()
    assert (len(found), sampled.of) == (2000, 50_000)
    assert (np.diff(found) > 0).all()
    # Each tenth of the log has 200 on average, with a standard deviation of 13.
    assert np.all(np.abs(np.bincount(found // 5000) - 200) < 70)
    everything = draw_sample(batches, 10**6, True, lambda rows: None)
    assert everything.rows["x"].to_pylist() == list(range(50_000))
    assert draw_sample([], 5, True, lambda rows: None).rows.num_rows == 0


def test_nested_and_coded_columns_of_parquet(inspected):
    frame = rows_of()
    code = np.arange(len(frame)) + 2**53 + 1
    offer = pa.array(frame["offer"]).dictionary_encode()
    chance = pa.array(frame["propensity"])
    table = pa.table({
        "event_id": code,
        "context": pa.StructArray.from_arrays([pa.array(code % 97)], ["customer_id"]),
        "at": pa.array(pd.to_datetime(frame["date"]).dt.tz_localize("Europe/Madrid")),
        "decision": pa.StructArray.from_arrays([offer, chance], ["action", "probability"]),
        "converted": pa.array(frame["clicked"] == 1),
    })  # fmt: skip
    status, told = inspected(table, "log.parquet")
    decisions = told["mapping"]["decisions"]
    assert (status, told["rejected"]) == (0, 0)
    assert decisions["action_id"] == "decision.action"
    assert decisions["propensity"] == "decision.probability"
    assert decisions["customer_id"] == "context.customer_id"


def test_a_time_that_can_not_be_read_is_missing_and_not_dealt(inspected):
    code, told = inspected(rows_of().assign(date=[f"week {k % 9}, day 3" for k in range(1500)]))
    assert "dealt_from" in told["mapping"]["decisions"]["decided_at"]
    assert code == 0
    for write, how in (
        (lambda k: f"2026-01-{1 + k % 40:02d}", "strptime"),
        (lambda k: f"{1 + k % 28:02d}-ene-2026 10:00", "strptime"),
        (lambda k: 46027 + k / 36, '"seconds_since <day>"'),  # as Excel has it
        (lambda k: 2400 * k, '"seconds_since <day>"'),
    ):
        code, told = inspected(rows_of(300).assign(date=[write(k) for k in range(300)]))
        assert code == 1
        (when,) = [each for each in told["missing"] if each.startswith("when: date is named like")]
        assert how in when


def test_a_file_that_breaks_off_and_numbers_that_are_none(inspected, tmp_path, capsys):
    rows_of().to_csv(tmp_path / "cut.csv.gz", index=False)
    whole = (tmp_path / "cut.csv.gz").read_bytes()
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert main(["inspect-log", str(tmp_path / "cut.csv.gz")]) == 2
    assert "cut.csv.gz: can't be read to its end" in capsys.readouterr().err
    lines = [
        f'{{"event_id": {k}, "user": "u", "arm": "{"ab"[k % 2]}", "p": 0.5, '
        f'"reward": { {7: "NaN", 8: "Infinity"}.get(k, k % 2) }}}'
        for k in range(600)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    assert main(["inspect-log", str(tmp_path / "log.jsonl"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    place = "outcomes.reward_outcome.reward"
    assert told["reasons"] == {f"{place} can't be read": 1, f"{place} is empty": 1}


def test_a_propensity_that_can_not_be_read_is_not_one_that_there_is_none_of(inspected):
    frame = rows_of().assign(age=lambda f: f.index % 41, a=lambda f: f.index % 7)
    frame["propensity"] = frame["propensity"].astype(object).where(frame.index % 8 > 0, "error 500")
    code, told = inspected(frame)
    assert (code, told["mapping"]["decisions"]["propensity"]) == (1, "unknown")
    assert told["missing"][0].startswith("the propensity: propensity can't be read as numbers (")


def test_the_decimal_mark_goes_by_columns_and_a_semicolon(tmp_path, capsys):
    frame = rows_of().assign(version=lambda f: [f"{k % 9}.{k % 89}" for k in f.index])
    frame["offer"], frame["propensity"] = list("ABC") * 500, "0,3333"
    frame.to_csv(tmp_path / "a.csv", sep=";", index=False)
    main(["inspect-log", str(tmp_path / "a.csv"), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["mapping"]["log"]["decimal"] == ","
    assert told["mapping"]["decisions"]["propensity"] == "propensity"
    assert any("decimal comma in propensity, with a point in version" in u for u in told["unsure"])


def test_the_zone_is_asked_for_only_where_some_times_tell_none(inspected):
    for offset, asked in (("+01", False), ("", True)):
        frame = rows_of(300).assign(date=lambda f, offset=offset: f["date"] + " 10:00:00" + offset)
        told = inspected(frame)[1]["unsure"]
        assert any(each.startswith("log.time_zone") for each in told) == asked


@pytest.mark.parametrize(
    ("offer", "click"),
    [("promotion", "clk"), ("coupon_id", "clicked"), ("video_id", "is_click"),
     ("adgroup_id", "clk"), ("gutschein", "klick"), ("ad_set", "click")],
)  # fmt: skip
def test_names_of_public_logs_are_known(inspected, offer, click):
    frame = rows_of(300).rename(columns={"offer": offer, "clicked": click})
    _, told = inspected(frame)
    assert told["mapping"]["decisions"]["action_id"] == offer
    assert list(told["mapping"]["outcomes"]) == [click]


def test_no_is_no_action_and_an_empty_one_is_asked_about(inspected):
    frame = rows_of().assign(offer=lambda f: f["offer"].replace({"A": "Yes", "B": "No", "C": ""}))
    frame["newsletter"] = np.where(np.arange(1500) % 3, "yes", "no")  # no action, but a customer's
    _, told = inspected(frame)
    assert told["mapping"]["decisions"]["action_id"] == {
        "column": "offer",
        "values": {"No": "none"},
    }
    assert "newsletter" in told["mapping"]["customers"]
    assert any("offer is empty in 20%" in u and "{column: offer, empty: none}" in u
               for u in told["unsure"])  # fmt: skip
