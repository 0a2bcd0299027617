"""What is said of each notebook is what its stage reads and writes, seen while it runs."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import mlflow
import pytest

from nextbest import lifecycle, touched
from nextbest.platforms import open_platform
from nextbest.platforms.databricks.monitors import DatabricksMonitors
from nextbest.platforms.local.serving import LocalServing
from nextbest.platforms.own_monitors import OwnMonitors
from nextbest.platforms.watched import live_monitor
from nextbest.registry.approval import approve
from nextbest.settings import Settings
from nextbest.use_cases import load

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
SCHEMA = "prod.ml_nba_demo"
VALUES = {
    "platform": "local", "catalog": "prod", "schema": "ml_nba_demo", "volume": "landing",
    "use_case": "nba", "source": "simulated", "mapping": "none", "campaign": "all", "seed": "5",
    "endpoint": "e", "model_name": f"{SCHEMA}.nba", "experiment": "/e", "as_of": "2026-03-01",
    "customers": "1500", "history_days": "40", "decisions_per_day": "600", "attribution_days": "7",
    "holdout_share": "0.4", "exploration": "0.1", "control_share": "0.1", "confidence": "0.95",
    "min_lift": "-1000", "min_ess": "50", "max_contact_growth": "0.1", "monitor_slices": "channel",
    "model_version": "candidate", "release_to": "champion", "drift": "none",
    "drift_threshold": "0.2",
    "drift_windows": "3 of 4", "drift_from": "live", "exploration_floor": "0", "temperature": "0",
    "thompson_draws": "0", "max_rejected_share": "0.02", "eligibility_share": "0",
    "contact_policy": "none", "channel_capacity": "none", "daily_budget": "none",
    "retrain_cooldown_days": "3", "retrain_cap": "5", "retrain_window_days": "30",
    "alert_channels": "log", "alert_reminder_days": "7", "profiling": "own",
}  # fmt: skip


class Noted(Settings):
    """Settings that remember which tables they were asked for."""

    asked: set[str] = set()

    def table(self, name: str) -> str:
        self.asked.add(name)
        return super().table(name)


class Reading:
    """A session that remembers which tables were read by name."""

    def __init__(self, spark, names):
        self._spark, self._names = spark, names

    def table(self, name):
        self._names.add(name.removeprefix(f"{SCHEMA}."))
        return self._spark.table(name)

    def __getattr__(self, name):
        return getattr(self._spark, name)


def stage_of(notebook: Path) -> str:
    """The one call of the lifecycle in a notebook."""
    calls = [
        node.func.attr
        for node in ast.walk(ast.parse(notebook.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and getattr(node.func.value, "id", "") == "lifecycle"
    ]
    (stage,) = calls
    return stage


@pytest.mark.unit
def test_each_notebook_is_told_and_no_other():
    assert [notebook.stem for notebook in NOTEBOOKS] == sorted(touched.BY_NOTEBOOK)


@pytest.mark.unit
def test_no_table_that_the_lifecycle_names_is_forgotten():
    told = {name for each in touched.BY_NOTEBOOK.values() for name in (*each.reads, *each.writes)}
    named = set(load(Settings.parse(VALUES)).contracts)
    for file in (ROOT / "src/nextbest/lifecycle").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "table":
                named |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    assert len(named) > 10
    assert named <= told


def files(home):
    """Everything in a lakehouse, and when it was changed."""
    return {
        path.relative_to(home).parts: path.stat().st_mtime_ns
        for path in home.rglob("*")
        if path.is_file()
    }


def named_by_databricks():
    """The metric tables, by the names that the local monitors give them.

    What local ones keep beside them to make them of counts as the profile.
    """
    monitor = live_monitor(lambda name: f"{SCHEMA}.{name}")
    here = OwnMonitors(None).tables(monitor)
    there = DatabricksMonitors(None, "quality_monitors").tables(monitor)
    pairs = [(here.profile, there.profile), (here.drift, there.drift)]
    pairs.append((here.sketches, there.profile))
    return {ours.split(".")[-1]: theirs.split(".")[-1] for ours, theirs in pairs}


def versions():
    """Model versions, their tags and aliases."""
    found = mlflow.search_registered_models()
    tags = sorted((v.name, v.version, *sorted(v.tags.items()))
                  for v in mlflow.MlflowClient().search_model_versions())  # fmt: skip
    return tags, [(m.name, sorted(m.aliases.items())) for m in found]


def prepare(stem, settings, home):
    """What a task of deployment_job finds there: no verdict, an approval, another champion."""
    client, at = mlflow.MlflowClient(), (settings.model, "1")
    if stem == "10_evaluation":
        client.set_model_version_tag(*at, "verdict_passed", "open")
        (frozen,) = home.rglob("holdouts")
        shutil.rmtree(frozen)
    if stem == "11_approval":
        approve(*at, "somebody else")
    if stem == "12_release":
        client.delete_registered_model_alias(settings.model, "champion")
        LocalServing(home).deploy(settings.endpoint, settings.model, "0")


def a_day_is_judged_as_the_version_that_decided_it(settings, spark):
    """Also after another one was released."""
    said = spark.table(settings.table("responses")).collect()
    made = mlflow.MlflowClient().copy_model_version(f"models:/{settings.model}/1", settings.model)
    mlflow.MlflowClient().set_registered_model_alias(settings.model, "champion", made.version)
    lifecycle.detect_drift(settings, spark)
    again = spark.table(settings.table("responses")).collect()
    assert [row["version"] for row in again] == ["1"]
    assert [row["action"] for row in again] == [row["action"] for row in said]


def runs():
    return sorted(each.info.run_id for each in mlflow.MlflowClient().search_runs(experiments()))


def experiments():
    return [each.experiment_id for each in mlflow.search_experiments()]


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.xdist_group("mlflow")
def test_what_every_stage_touches(tmp_path, local_mlflow):
    from nextbest.platforms.local.session import open_session

    home = local_mlflow(tmp_path)
    (home / "mlflow").mkdir()
    mine = open_session(home, [SCHEMA])
    read: set[str] = set()
    spark, settings = Reading(mine, read), Noted.parse(VALUES)
    metrics = named_by_databricks()
    try:
        assert open_platform(settings, spark).name == "local"
        for notebook in NOTEBOOKS:
            told = touched.BY_NOTEBOOK[notebook.stem]
            prepare(notebook.stem, settings, home)
            read.clear()
            settings.asked.clear()
            before, known, started = files(home), versions(), runs()
            getattr(lifecycle, stage_of(notebook))(settings, spark)
            changed = {parts for parts, at in files(home).items() if before.get(parts) != at}
            wrote = {p[p.index("_delta_log") - 1] for p in changed if "_delta_log" in p}
            wrote = {metrics.get(name, name) for name in wrote}
            seen = {metrics.get(name, name) for name in read | settings.asked}
            assert wrote == set(told.writes), notebook.stem
            assert seen | wrote == {*told.reads, *told.writes}, notebook.stem
            others = {parts[0] for parts in changed}
            assert ("volumes" in others) == told.volume, notebook.stem
            assert (versions() != known) == (told.model == "writes"), notebook.stem
            assert (runs() != started) == told.experiment, notebook.stem
            made = notebook.stem != "04_model_validation"  # by 08 later; then 04 would move it
            assert ("serving" in others) == (
                told.endpoint or (told.moves_endpoint and made)
            ), notebook.stem
            online = {parts[-1].split(".")[0] for parts in changed if parts[0] == "online"}
            # Notebook 02 publishes again what 08 published first.
            first = notebook.stem != "02_feature_engineering"
            assert online == (set(told.online) if first else set()), notebook.stem
        before = files(home)
        lifecycle.engineer_features(settings, spark)
        changed = {parts for parts, at in files(home).items() if before.get(parts) != at}
        assert "online" in {parts[0] for parts in changed}
        sliced = mine.table(settings.table("drift_metrics")).where("slice_key = 'channel'")
        assert sliced.count() > 0
        a_day_is_judged_as_the_version_that_decided_it(settings, mine)
    finally:
        mine.stop()
        shutil.rmtree(home / "mlflow")
