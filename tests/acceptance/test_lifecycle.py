"""The real bundle, end to end, as a user types it; on a small world."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lakehouses import KEYS, SMALL, TIMED, assert_same, tables

from nextbest.decisions.randomness import fractions

# One worker: the first run serves all tests of this file.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("lifecycle")]

ROOT = Path(__file__).parents[2]
DBB = Path(sys.executable).with_name("dbb")


def words(lakehouse, *more, job="lifecycle_job", **params):
    given = ",".join(f"{key}={value}" for key, value in {**SMALL, **params}.items())
    return [DBB, "run", job, "--local", "--lakehouse", lakehouse, "--params", given, *more]


def run(lakehouse, *more, **options):
    done = subprocess.run(
        words(lakehouse, *more, **options), cwd=ROOT, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A lakehouse after one undisturbed run, and what the run printed."""
    lakehouse = tmp_path_factory.mktemp("first") / "lakehouse"
    code, told = run(lakehouse)
    assert code == 0, told
    return lakehouse, told


def test_the_lifecycle_runs_and_tells_what_came_of_it(first):
    lakehouse, told = first
    assert set(KEYS) <= set(tables(lakehouse))
    for part in ("held-out decisions", "lift over", "oracle's gap", "is champion", "decisions for",
                 "drift", "5 requests by key answered", "pages:"):  # fmt: skip
        assert part in told, part
    (record,) = [
        each
        for path in lakehouse.glob("runs/*/run.json")
        if (each := json.loads(path.read_text()))["job_key"] == "lifecycle_job"
    ]
    assert {task["state"] for task in record["tasks"]} == {"SUCCESS"}
    pages = list(lakehouse.glob("runs/*/tasks/*.html"))
    assert len(pages) >= 8
    (response,) = tables(lakehouse)["responses"].to_dict("records")
    assert list(lakehouse.glob("volumes/**/monitoring/2026-03-01.html")) == [
        Path(response["report"])
    ]
    assert Path(response["run"]) in lakehouse.glob("runs/*/index.html")


def test_the_newest_week_was_asked_by_itself(first):
    (verdict,) = first[0].glob("mlflow/artifacts/*/*/artifacts/verdicts/2026-03-01.json")
    told = json.loads(verdict.read_text())
    (evidence,) = set(tables(first[0])["promotions"]["evidence"])
    ledger, page = (
        re.sub(TIMED, "", text) for text in (json.loads(evidence)["verdict"], told["text"])
    )
    assert len(ledger) > 500
    assert ledger == page[: len(ledger)]
    asked = {each["metric"] for each in told["findings"]}
    assert {"ess", "lift_low", "lift_newest"} <= asked


def test_the_verdict_is_a_page_on_rows_that_were_frozen(first):
    lakehouse, _ = first
    (frozen,) = lakehouse.glob("volumes/*/*/*/holdouts/2026-03-01-*.parquet")
    (page,) = lakehouse.glob("mlflow/artifacts/*/*/artifacts/verdicts/2026-03-01.html")
    told = json.loads(page.with_suffix(".json").read_text())
    assert told["passed"]
    assert told["against"] == "logging"
    assert frozen.stem.endswith(told["holdout"])
    assert len(pd.read_parquet(frozen)) == told["decisions"]
    text = page.read_text()
    assert f"all {len(told['findings'])} gates" in text
    for part in ("Guardrails", "Slices", "Fairness", "Calibration", "segment=loyal"):
        assert part in text, part


def test_who_is_judged_on_was_never_learned_from(first):
    lakehouse, told = first
    written = tables(lakehouse)
    matured = written["decisions"]
    matured = matured[matured["decided_at"] <= pd.Timestamp("2026-02-22", tz="UTC")]  # after a week
    held_out = fractions(matured["customer_id"], "held out") < 0.4
    learned, judged = (f"{np.sum(part):,}" for part in (~held_out, held_out))
    assert f"{learned} decisions learned from, {judged} held out" in told
    assert f"{judged} held-out decisions, value" in told
    assert set(written["training_baseline"]["decision_id"]) <= set(matured["decision_id"][held_out])


FROM_KEYS = """
import os, sys
from pathlib import Path
from nextbest.platforms.local.environment import environment
from nextbest.platforms.local.feature_store import LocalFeatureStore
from nextbest.platforms.local.session import open_session

home = Path(sys.argv[1])
os.environ.update(environment(home))
spark = open_session(home, ["juan_dev.ml_nba_demo_dev"])
decided = spark.table("juan_dev.ml_nba_demo_dev.recommendations")
keys = decided.select("customer_id", "action_id", "channel", "decided_at", "p_response")
scored = LocalFeatureStore(spark, home).score_batch("models:/" + sys.argv[2], keys)
print(scored.selectExpr("count(1)", "max(abs(prediction - p_response)) < 1e-9").first())
"""


@pytest.mark.slow
def test_the_version_scores_from_keys_alone_what_the_batch_decided_by(first):
    lakehouse, _ = first
    written = tables(lakehouse)
    released = written["promotions"].iloc[-1]
    version = f"{released['model']}/{released['version']}"
    done = subprocess.run(
        [sys.executable, "-c", FROM_KEYS, lakehouse, version], capture_output=True, text=True
    )
    assert f"={len(written['recommendations'])}, " in done.stdout, done.stderr
    assert "=True)" in done.stdout


@pytest.mark.slow
def test_again_for_the_same_day_changes_no_table(first):
    lakehouse, _ = first
    before = tables(lakehouse)
    code, told = run(lakehouse)
    assert code == 0, told
    assert_same(before, tables(lakehouse))
    assert "trained before on the same rows" in told
    assert "features; online, too" in told  # since the first run served


@pytest.mark.slow
def test_a_decision_is_explained_and_comes_out_the_same(first):
    lakehouse, _ = first
    decided = tables(lakehouse)["recommendations"]
    assert decided["rejected"].map(len).gt(0).any()
    one = decided[decided["reason_code"] == "best"].iloc[0]
    asked = [DBB, "explain", one["decision_id"], "--local", "--lakehouse", lakehouse, "--json"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["same"]
    assert one["treatment"] in told["sentence"]
    assert len(told["treatments"]) == 29


@pytest.mark.slow
def test_the_next_day_answers_todays_recommendations(first, tmp_path):
    lakehouse = shutil.copytree(first[0], tmp_path / "lakehouse")
    before = tables(lakehouse)
    code, told = run(lakehouse, job="data_pipeline_job", as_of="2026-03-02")
    assert code == 0, told
    after = tables(lakehouse)
    ours = before["recommendations"]["decision_id"]
    assert not before["outcomes"]["decision_id"].isin(ours).any()
    assert after["outcomes"]["decision_id"].isin(ours).any()
    assert len(after["decisions"]) == len(before["decisions"])  # that day was ours, all of it


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A lakehouse after a run of prod under limits, and what it printed."""
    lakehouse = tmp_path_factory.mktemp("limited") / "lakehouse"
    code, told = run(
        lakehouse, "-t", "prod", channel_capacity="call=20;sms=100", daily_budget="300"
    )
    assert code == 0, told
    return lakehouse, told


@pytest.mark.slow
def test_a_day_keeps_its_limits_and_they_are_told(limited):
    lakehouse, told = limited
    decided = tables(lakehouse, "prod/ml_nba_demo")["recommendations"]
    counts = decided["channel"].value_counts()
    assert 0 < counts["call"] <= 20
    assert 0 < counts["sms"] <= 100
    assert len(decided) == 2000
    assert "capped" in set(decided["reason_code"])
    assert "valued without the limits of a day (channel call 20, channel sms 100, budget" in told


@pytest.mark.slow
def test_prod_writes_under_its_own_schema_only(limited):
    lakehouse, _ = limited
    written = {path.relative_to(lakehouse).parts[:2] for path in lakehouse.rglob("_delta_log")}
    assert written == {("prod", "ml_nba_demo")}
    volumes = {path.relative_to(lakehouse).parts[:4] for path in lakehouse.glob("volumes/*/*/*")}
    assert volumes == {("volumes", "prod", "ml_nba_demo", "landing")}


@pytest.mark.slow
def test_real_logs_are_evaluated_and_thin_evidence_is_refused(tmp_path):
    lakehouse = tmp_path / "lakehouse"
    code, told = run(lakehouse, source="open_bandit", as_of="2026-03-01", min_ess=1000, min_lift=0)
    assert code == 0, told
    for policy in ("candidate", "random policy", "bts policy"):
        assert re.search(policy + r" +0\.\d{4} \[-?0\.\d{4}, 0\.\d{4}\]", told), policy
    assert "Refused" in told
    assert "not released" in told
    assert "has no champion yet" in told
    assert "open_bandit_all_promotions" not in tables(lakehouse)


@pytest.mark.slow
def test_drift_starts_a_training(tmp_path):
    lakehouse = tmp_path / "lakehouse"
    assert run(lakehouse)[0] == 0
    # In so small a world the first day may have started one already: it must not cool down.
    code, told = run(
        lakehouse, as_of="2026-03-02", drift="covariate", retrain_cooldown_days="0",
        drift_windows="1 of 1",
    )  # fmt: skip
    assert code == 0, told
    records = [json.loads(path.read_text()) for path in lakehouse.glob("runs/*/run.json")]
    last = max((r for r in records if r["job_key"] == "monitoring_job"), key=lambda r: r["start"])
    states = {task["key"]: task["state"] for task in last["tasks"]}
    assert states["retrain"] == "SUCCESS"
    assert "price_sensitivity" in told


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_random_moments_and_repaired_the_tables_are_the_same(first, tmp_path):
    undisturbed, _ = first
    expected = tables(undisturbed)
    took = json.loads(sorted(undisturbed.glob("runs/*/run.json"))[0].read_text())
    length = pd.Timestamp(took["end"]) - pd.Timestamp(took["start"])
    dice = random.Random(20261121)
    for round_ in range(10):
        lakehouse = tmp_path / f"killed{round_}"
        process = subprocess.Popen(
            words(lakehouse), cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(5 + dice.random() * length.total_seconds())
        process.send_signal(signal.SIGKILL)
        process.wait()
        records = sorted(lakehouse.glob("runs/*/run.json"))
        if not records:  # killed before the run began
            continue
        main = json.loads(records[0].read_text())
        done = subprocess.run(
            [DBB, "run", "lifecycle_job", "--local", "--lakehouse", lakehouse,
             "--repair", main["run_id"]],
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert_same(expected, tables(lakehouse))
