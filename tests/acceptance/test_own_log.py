"""The example log of the repository, from its file to a decision about release, as a user does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DBB = Path(sys.executable).with_name("dbb")
LOG, MAPPING = "examples/own_log/log.csv", "examples/own_log/mapping.yml"


def dbb(*arguments):
    done = subprocess.run([DBB, *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.integration
def test_the_examples_mapping_is_the_proposed_one_with_two_edits(tmp_path):
    code, told = dbb("inspect-log", LOG, "--write", tmp_path / "mapping.yml")
    assert code == 0, told
    assert "eligible: all 7 treatments, as 1/p tells" in told
    proposed = yaml.safe_load((tmp_path / "mapping.yml").read_text())
    proposed["log"]["time_zone"] = "Europe/Berlin"
    proposed["actions"] = {"file": "actions.csv"}
    assert proposed == yaml.safe_load((ROOT / MAPPING).read_text())


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.timeout(900)
def test_the_example_runs_from_its_file_to_the_gate_and_live(tmp_path):
    from deltalake import DeltaTable

    lakehouse = tmp_path / "lakehouse"
    run = ("run", "lifecycle_job", "--local", "--lakehouse", lakehouse, "--params")
    params = f"source={LOG},mapping={MAPPING},as_of=2026-03-01"
    code, told = dbb(*run, params)
    assert code == 0, told
    assert "decisions 6,000" in told
    assert "; 0 rejected" in told
    assert "effective sample" in told  # the evidence is thin, and the gate says so
    assert "is not released" in told
    code, told = dbb(*run, f"{params},min_ess=200")
    assert code == 0, told
    assert "Gate passed: version 1 is champion" in told
    schema = lakehouse / "juan_dev" / "ml_nba_demo_dev"
    (decisions,) = schema.glob("log_csv_*_decisions")
    found = DeltaTable(str(decisions)).to_pyarrow_table().to_pandas()
    assert set(found["policy"]) == {"logged", "nba"}
    assert found["decision_id"].is_unique
    assert found.loc[found["policy"] == "logged", "treatment"].nunique() == 7
