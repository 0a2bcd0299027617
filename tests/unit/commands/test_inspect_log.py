"""`dbb inspect-log --mapping`: an edited mapping is tried without an engine."""

from __future__ import annotations

import json

import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from nextbest.cli import main

pytestmark = pytest.mark.unit

MAPPING = """\
decisions:
  decision_id: id
  decided_at: ts
  action_id: offer
  channel: {constant: web}
  eligible: all
  propensity: {constant: 0.5}
outcomes: {click: {reward: click, worth: 1}}
"""


@pytest.fixture
def tried(tmp_path, capsys):
    """Exit code and what was said of a mapping's text and a log of 100 rows."""
    lines = [f"{k},2026-01-{1 + k % 9:02d},{'AB'[k % 2]},{k % 3 // 2}" for k in range(100)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["id,ts,offer,click", *lines]))

    def run(text, *more, suffix=".csv"):
        (tmp_path / "m.yml").write_text(text)
        if suffix == ".parquet":
            pq.write_table(arrow_csv.read_csv(log), tmp_path / "log.parquet")
        if suffix == "":
            write_deltalake(str(tmp_path / "log"), arrow_csv.read_csv(log), mode="overwrite")
        path = log.with_suffix(suffix)
        code = main(["inspect-log", str(path), "--mapping", str(tmp_path / "m.yml"), *more])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ""])
def test_a_mapping_that_ingests_is_ready(tried, suffix):
    code, said = tried(MAPPING, suffix=suffix)
    assert code == 0, said
    assert "Tried on 100 rows: 0 would be rejected." in said
    assert "decisions from 2026-01-01 to 2026-01-09, 2 treatments" in said
    assert "Ready: dbb run lifecycle_job --local" in said
    assert "m.yml" in said.splitlines()[-1]
    assert json.loads(tried(MAPPING, "--json", suffix=suffix)[1])["ready"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("eligible: all", "eligible: {treatments: [A, B]}",
         "100 rows: decisions.eligible lacks what was chosen (row 1; row 2; row 3)"),
        ("eligible: all", "eligible: {treatments: ['A:web']}", "50 of 100 rows would be rejected"),
        ("ts\n", "{column: ts, formats: ['%d.%m.%Y']}\n",
         "decided_at can't be read (row 1 '2026-01-01'"),
        ("{constant: 0.5}", "unknown", "the propensity: it is unknown"),
        ("reward: click", "reward: {constant: 0}", "an outcome: click never happens in the log"),
    ],
)  # fmt: skip
def test_what_a_mapping_would_reject_is_counted(tried, old, new, told):
    code, said = tried(MAPPING.replace(old, new))
    assert code == 1
    assert told in said
    assert "Ready" not in said


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("action_id: offer", "action_id: ofer", "lacks columns: decisions.action_id wants 'ofer'"),
        ("eligible: all", "eligable: all", "m.yml:6: decisions.eligable: is unknown"),
        ("worth: 1}}\n", "worth: 1}}\nactions: {file: gone.csv}\n", "gone.csv can't be read"),
    ],
)
def test_a_mapping_that_does_not_fit_is_exit_code_2(tried, old, new, told):
    code, said = tried(MAPPING.replace(old, new))
    assert code == 2
    assert told in said


def test_a_table_needs_ids_and_a_given_mapping_no_sample(tried):
    code, said = tried(MAPPING.replace("  decision_id: id\n", ""), suffix="")
    assert code == 2
    assert "decisions.decision_id is missing" in said
    assert tried(MAPPING, "--only-sample")[0] == 2
