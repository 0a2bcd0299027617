"""What is proposed for logs as others write them."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from nextbest.cli import main

pytestmark = pytest.mark.integration


@pytest.fixture
def inspected(log_of, capsys):
    """Exit code and JSON of `dbb inspect-log`."""

    def run(name, *more):
        code = main(["inspect-log", str(log_of(name)), "--json", *more])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_a_randomised_trial_without_times_or_propensities(inspected):
    code, told = inspected("hillstrom")
    decisions = told["mapping"]["decisions"]
    assert (code, told["rejected"]) == (0, 0)
    assert decisions["action_id"] == {"column": "segment", "values": {"No E-Mail": "none"}}
    assert decisions["propensity"] == "empirical"
    assert decisions["decided_at"]["dealt_from"]
    assert told["mapping"]["outcomes"]["conversion"]["value"]["column"] == "spend"
    assert told["mapping"]["customers"]["log_channel"]["column"] == "channel"
    assert any("randomised trial" in each for each in told["unsure"])


def test_an_uplift_trial_leaves_out_what_came_after(inspected):
    code, told = inspected("criteo")
    assert code == 0
    assert told["mapping"]["decisions"]["action_id"]["values"] == {"0": "none", "1": "treated"}
    assert set(told["mapping"]["outcomes"]) == {"conversion", "visit"}
    assert set(told["mapping"]["customers"]) == {f"f{k}" for k in range(6)}
    assert any(each.startswith("exposure: may have come after") for each in told["left_out"])


def test_dsjson(inspected):
    code, told = inspected("dsjson")
    decisions = told["mapping"]["decisions"]
    assert (code, told["rejected"]) == (0, 0)
    assert decisions["eligible"] == {"column": "a"}
    assert decisions["propensity"] == "_label_probability"
    assert decisions["decision_id"] == "EventId"
    reward = told["mapping"]["outcomes"]["label_cost"]["reward"]["expression"]
    assert reward == "IF(`_label_cost` < 0, 1, 0)"
    assert list(told["mapping"]["customers"]) == ["c_user_age"]  # nothing that tells the choice


def test_ratings_lack_a_propensity(inspected):
    code, told = inspected("ratings")
    assert code == 1
    assert told["mapping"]["decisions"]["propensity"] == "unknown"
    assert told["missing"][0].startswith("the propensity: no column holds the chance")
    assert len(told["missing"]) == 1
    assert told["mapping"]["decisions"]["decided_at"]["formats"] == ["epoch_s"]


def test_windows_text_with_everything_awkward(inspected):
    code, told = inspected("windows")
    mapping = told["mapping"]
    assert code == 0
    assert mapping["log"] == {"format": "csv", "encoding": "cp1252", "delimiter": ";",
                              "decimal": ",", "time_zone": "UTC"}  # fmt: skip
    assert mapping["decisions"]["decided_at"]["formats"] == ["%d.%m.%Y %H:%M", "iso"]
    assert mapping["decisions"]["propensity"] == "Wahrscheinlichkeit"
    assert mapping["outcomes"]["klick"]["value"]["column"] == "Umsatz"
    assert (told["rejected"], told["reasons"]) == (1, {"a broken line": 1})
    assert any("same name" in each for each in told["found"])


def test_utf16_and_american_dates(inspected):
    code, told = inspected("utf16")
    assert (code, told["mapping"]["decisions"]["decided_at"]["formats"]) == (0, ["epoch_ms"])
    assert told["mapping"]["log"]["encoding"] == "utf-16"
    code, told = inspected("american")
    formats = told["mapping"]["decisions"]["decided_at"]["formats"]
    assert (code, formats) == (0, ["%m/%d/%Y %I:%M %p"])
    assert told["mapping"]["log"]["skip"] == 1


def test_days_and_months_in_both_orders_are_told(inspected):
    code, told = inspected("mixed")
    assert code == 1
    assert told["missing"][0].startswith("one order of days and months in when: some times can be")


def test_choices_that_go_with_customers_were_not_random(tmp_path, capsys):
    lines = ["time,user_id,offer,click,age,tenure,visits"]
    for row in range(2000):
        age = 20 + row % 50
        lines.append(f"2026-01-{1 + row % 28:02d},u{row},{'ab'[age > 40]},{row % 3 // 2},{age},"
                     f"{row % 7},{row % 11}")  # fmt: skip
    (tmp_path / "a.csv").write_text("\n".join(lines))
    assert main(["inspect-log", str(tmp_path / "a.csv")]) == 1
    assert "it goes with age" in capsys.readouterr().out


def test_a_set_that_does_not_fit_the_propensities_is_told(tmp_path, capsys):
    lines = ["time,user_id,offer,propensity,click"]
    lines += [
        f"2026-01-{1 + k % 28:02d},u{k},{'abcd'[k % 4]},0.5,{k % 5 // 4}" for k in range(2000)
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    assert main(["inspect-log", str(tmp_path / "a.csv")]) == 1
    assert "the log has 4 treatments, and the mean of 1/p is 2.00" in capsys.readouterr().out


def test_rows_that_would_be_rejected_are_counted_with_examples(tmp_path, capsys):
    lines = ["id,time,user_id,offer,propensity,click"]
    lines += [
        f"{k},2026-01-{1 + k % 28:02d},u{k},{'ab'[k % 2]},0.5,{k % 5 // 4}" for k in range(500)
    ]
    lines += ["7,2026-01-01,u,a,0.5,0", "900,soon,u,a,0.5,0", "901,2026-01-01,u,a,1.5,0",
              "902,2026-01-01,u,a,x,1", "903,2026-01-01,u,,0.5,1", "904,too,short"]  # fmt: skip
    (tmp_path / "a.csv").write_text("\n".join(lines))
    assert main(["inspect-log", str(tmp_path / "a.csv"), "--sample", "400"]) == 1
    told = capsys.readouterr().out
    for part in (
        "decision_id is on several rows (row 8; row 501)",
        "decided_at can't be read (row 502 'soon')",
        "propensity is not in (0, 1] (row 503)", "propensity can't be read (row 504 'x')",
        "action_id is empty (row 505)",
        "a broken line (a line of 3 values, not 6: 904,too,short)",
        "Tried on 506 rows: 7 would be rejected",
    ):  # fmt: skip
        assert part in told, part


def test_wrong_input_is_exit_code_2(tmp_path, capsys):
    (tmp_path / "list.json").write_text('[{"a": 1}]')
    assert main(["inspect-log", str(tmp_path / "list.json")]) == 2
    assert "one JSON list: write one object a line" in capsys.readouterr().err
    assert main(["inspect-log", str(tmp_path / "none.csv")]) == 2
    assert main(["inspect-log", str(tmp_path / "list.json"), "--sample", "0"]) == 2


def test_the_mapping_is_written_once(log_of, tmp_path, capsys):
    path = tmp_path / "m.yml"
    assert main(["inspect-log", str(log_of("ratings")), "--write", str(path)]) == 1
    assert path.read_text().startswith("# Proposed by `dbb inspect-log ratings.csv`")
    assert main(["inspect-log", str(log_of("ratings")), "--write", str(path)]) == 2
    assert "it is there already" in capsys.readouterr().err


def test_parquet_and_delta(tmp_path, capsys):
    import datetime as dt

    import pyarrow.parquet as pq
    from deltalake import write_deltalake

    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    table = pa.table({
        "log_id": [str(k) for k in range(600)],
        "shown_at": [start + dt.timedelta(hours=k) for k in range(600)],
        "arm": ["ab"[k % 2] for k in range(600)], "arms": [["a", "b"]] * 600,
        "p": [0.5] * 600, "clicked": [k % 3 == 0 for k in range(600)],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    write_deltalake(str(tmp_path / "delta"), table)
    for name in ("a.parquet", "delta"):
        assert main(["inspect-log", str(tmp_path / name), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["mapping"]["decisions"]["eligible"] == {"column": "arms"}
        assert told["rejected"] == 0
