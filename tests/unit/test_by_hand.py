"""What a notebook that is opened by hand gets from a target of this very bundle."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from nextbest import by_hand
from nextbest.bundle import load
from nextbest.errors import BundleError
from nextbest.settings import Settings

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


def test_a_target_gives_what_its_jobs_pass_on_this_day():
    found = by_hand.target_values(ROOT, "dev", "Ana.Diaz@acme.com")
    passed = {
        parameter.name: parameter.default
        for parameter in load(ROOT, "dev", user="Ana.Diaz@acme.com").jobs["training_job"].parameters
    }
    today = dt.datetime.now(dt.UTC).date()
    assert found == passed | {"as_of": today.isoformat()}
    settings = Settings.parse(found)
    assert settings.as_of == today
    assert settings.model == "juan_dev.ml_nba_demo_dev.dev_ana_diaz_nba"


def test_notebooks_without_a_suffix_as_in_a_workspace_are_no_hindrance(tmp_path):
    for name in ("databricks.yml", "resources"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_data_generation").touch()
    found = by_hand.target_values(tmp_path, "dev", "ana")
    assert found == by_hand.target_values(ROOT, "dev", "ana")


def test_without_a_target_nothing_is_filled_in():
    assert by_hand.values(by_hand.NO_TARGET) == {}


def test_an_unknown_target_names_those_there_are():
    with pytest.raises(BundleError, match="no target 'dve'(.|\n)*dev, staging, prod"):
        by_hand.target_values(ROOT, "dve", "ana")


def test_what_only_a_run_knows_is_left_out(tmp_path):
    (tmp_path / "databricks.yml").write_text(
        "bundle: {name: small}\ntargets: {dev: {}}\nresources: {jobs: {main: {name: main, tasks: "
        "[], parameters: [{name: a, default: '{{job.run_id}}'}, {name: b, default: x}]}}}\n"
    )
    assert by_hand.target_values(tmp_path, "dev", "ana") == {"b": "x"}
