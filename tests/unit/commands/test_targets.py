"""What each job touches in each target; no two targets share any of it, and sharing is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nextbest import touched
from nextbest.bundle import load
from nextbest.cli import main
from nextbest.commands.matrix import BUNDLE, KINDS, OWN, shared, touches
from nextbest.commands.targets import as_markdown, by_target

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs/guides/environments.md"
TARGETS = ("dev", "staging", "prod")
BEGIN, END = "<!-- made by `make matrix` -->\n", "<!-- to here -->\n"
PRINCIPAL = {"service_principal": "<principal>"}


@pytest.fixture
def broken(tmp_path, monkeypatch, capsys):
    """`dbb targets` over this bundle after replacements in its files: exit code and words."""
    shutil.copy(ROOT / "databricks.yml", tmp_path)
    for folder in ("resources", "notebooks", "dashboards"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)

    def run(file: str, *changes: tuple[str, str]) -> tuple[int, str]:
        text = (tmp_path / file).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        (tmp_path / file).write_text(text, encoding="utf-8")
        code = main(["targets"])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_targets_share_nothing(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["targets"]) == 0
    assert "dev, staging, prod share nothing" in capsys.readouterr().out


def test_two_developers_share_data_only():
    """Presets put a name before jobs and models; endpoints and secrets are named apart by us."""
    bundles = {who: load(ROOT, "dev", {}, f"{who}@example.com") for who in ("ana", "ben")}
    found = shared({who: touches(bundle) for who, bundle in bundles.items()})
    data = ("table ", "schema ", "volume ", "online store ")
    assert [each for each in found if not each.startswith(data)] == []
    own = {"ana": {"schema": "ana"}, "ben": {"schema": "ben"}}
    apart = {who: load(ROOT, "dev", own[who], f"{who}@example.com") for who in own}
    assert shared({who: touches(bundle) for who, bundle in apart.items()}) == []


def test_every_job_and_kind_is_told():
    matrix = by_target(ROOT, {})
    assert set(matrix) == set(TARGETS)
    jobs = set(load(ROOT).jobs)
    for its in matrix.values():
        assert {each.job for each in its} == {BUNDLE, *jobs}
        kinds = {each.kind for each in its}
        assert kinds <= set(KINDS)
        assert kinds >= {
            "table", "model", "experiment", "volume", "schedule", "endpoint", "online store",
            "online table", "compute", "secret scope", "folder", "job",
        }  # fmt: skip
    tables = {each.role for each in matrix["prod"] if each.kind == "table"}
    told = touched.BY_NOTEBOOK.values()
    assert tables == {name for each in told for name in (*each.reads, *each.writes)}


def test_schedules_run_in_prod_only():
    schedules = {
        (target, each.job): each.how
        for target, its in by_target(ROOT, {}).items()
        for each in its
        if each.kind == "schedule"
    }
    running = {key for key, how in schedules.items() if how == "unpaused"}
    assert running == {
        ("prod", job) for job in ("data_pipeline_job", "inference_job", "monitoring_job")
    }
    assert ("staging", "inference_job") in schedules


def test_the_guide_shows_it():
    text = GUIDE.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == as_markdown(by_target(ROOT, PRINCIPAL)), "run `make matrix`"


def test_a_target_in_the_schema_of_another_is_refused(broken):
    code, told = broken("databricks.yml", ("ml_nba_demo_staging", "ml_nba_demo_dev"))
    assert code == 2
    assert "targets 'staging' and 'dev' share juan_dev.ml_nba_demo_dev" in told


def test_names_that_differ_by_case_are_the_same_to_unity_catalog(broken):
    code, told = broken("databricks.yml", ("ml_nba_demo_staging", "ML_NBA_DEMO_DEV"))
    assert code == 1
    assert "table juan_dev.ml_nba_demo_dev.decisions is touched by dev (data_pipeline_job)" in told


def test_two_schemas_with_one_online_store(broken):
    there = ("schema: ml_nba_demo_staging", "schema: dev_ml_nba_demo_dev")
    here = ("      schema: dev_", "      catalog: juan\n      schema: dev_")
    code, told = broken("databricks.yml", there, here)
    assert code == 1
    assert "online store juan-dev-ml-nba-demo-dev is touched by dev" in told


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("databricks.yml", "-${bundle.target}${var.own}\"", "\"", "endpoint nextbest is"),
        ("resources/storage.yml", " nextbest-${bundle.target}${var.own}", " s", "scope s is"),
        (
            "resources/training_job.yml", " (${bundle.target})", "",
            "job nextbest training is touched by staging (training_job) and prod (training_job)",
        ),
        (
            "resources/storage.yml", "/Users/${workspace.current_user.userName}/nextbest-"
            "${bundle.target}", "/Shared/nextbest",
            "",  # prod's own folder and the prefix of dev keep them apart
        ),
        (
            "databricks.yml", "/Users/${var.service_principal}/nextbest-${bundle.target}",
            "/Users/${workspace.current_user.userName}/nextbest-staging", "experiment /Users/",
        ),
        (
            "resources/serving_job.yml", "job_cluster_key: ${var.compute.job_cluster_key}",
            "existing_cluster_id: c-0123", "cluster c-0123 is touched by dev",
        ),
        (
            "databricks.yml", "root_path: /Workspace/Users/${var.service_principal}/.bundle"
            "/${bundle.name}/${bundle.target}",
            "root_path: ~/.bundle/nextbest/staging",
            "folder /Workspace/Users/<you>/.bundle/nextbest/staging is",
        ),
    ],
)  # fmt: skip
def test_other_things_that_two_share(broken, file, old, new, told):
    code, words = broken(file, (old, new))
    assert code == (1 if told else 0), words
    assert told in words


def test_whatever_is_the_same_is_found():
    its = touches(load(ROOT, "dev", None, "you"))
    same = shared({"a": its, "b": its})
    things = {(each.kind, each.name) for each in its if each.kind not in (*OWN, "runs")}
    assert len(same) == len({(kind.replace("online table", "table"), n) for kind, n in things})
    assert shared({"a": its}) == []


def test_a_notebook_that_nothing_is_known_of(broken, tmp_path):
    shutil.copy(tmp_path / "notebooks/08_model_serving.py", tmp_path / "notebooks/09_alerts.py")
    code, told = broken("resources/serving_job.yml", ("08_model_serving", "09_alerts"))
    assert code == 2
    assert "task 'model_serving' (resources/serving_job.yml" in told
    assert "09_alerts.py, of which nextbest.touched says nothing" in told


def test_json(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["targets", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["shared"] == []
    assert set(told["targets"]) == set(TARGETS)
