"""Both pages from real tables: made anew by a rerun, with links that lead somewhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pandas as pd
import pytest
from metric_rows import RESPONSES, drift, profile
from unit.test_touched import VALUES

from nextbest import tables
from nextbest.lifecycle.reporting import write_pages
from nextbest.monitoring.assessment import assess
from nextbest.monitoring.decision_metrics import COLUMNS as OUTCOMES
from nextbest.monitoring.decision_metrics import KEY as METRICS_KEY
from nextbest.monitoring.decision_metrics import SCHEMA as DECISION_METRICS
from nextbest.monitoring.schemas import DRIFT_KEY, PROFILE_KEY, drift_schema, profile_schema
from nextbest.monitoring.verdict import judge_drift
from nextbest.platforms import open_platform
from nextbest.platforms.watched import live_monitor
from nextbest.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("mlflow")]
SCHEMA = "juan_dev.ml_nba_demo_dev"
DAYS = (dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 2), dt.datetime(2026, 3, 3))
COLUMNS = ("spend", "channel")


@pytest.fixture(scope="module")
def settings():
    return Settings.parse(
        VALUES | {"catalog": "juan_dev", "schema": "ml_nba_demo_dev", "as_of": "2026-03-02",
                  "model_name": f"{SCHEMA}.reported", "source": "open_bandit"}
    )  # fmt: skip


@pytest.fixture(scope="module")
def platform(settings, spark, local_mlflow, tmp_path_factory):
    """Metric tables of three days, the last one after as_of, and the decisions of the second."""
    home = local_mlflow(tmp_path_factory.mktemp("lakehouse"))
    (home / "mlflow").mkdir(exist_ok=True)
    drifted = [drift(day, name, psi=0.1 + at) for at, day in enumerate(DAYS) for name in COLUMNS]
    drifted.append(drift(DAYS[1], "spend", psi=0.7, sliced=("region", "north")))
    profiled = [profile(day, ":table", count=100 + at) for at, day in enumerate(DAYS)]
    profiled += [profile(day, "spend", avg=2.0) for day in DAYS]
    decided = [(f"d{n}", DAYS[1], f"a{n % 2}", "sms", 1.0 * n) for n in range(6)]
    names = "decision_id string, decided_at timestamp, action_id string, channel string, " \
            "expected_value double"  # fmt: skip
    told = {"model": settings.model, "model_version": "*", "day": DAYS[0].date(), "counted": "",
            "decisions": 50, "matured": 50, "value": 1.5, "value_low": 1.0, "value_high": 2.0,
            "lift": 0.25, "roc_auc_score": 0.75}  # fmt: skip
    came = tuple(told.get(name) for name in OUTCOMES)
    done = [(settings.model, DAYS[1].date(), "3", True, "retrain", "it moved", "Drift", "retrain",
             50.0, "[]", None, None)]  # fmt: skip
    for rows, schema, name, key in (
        (drifted, drift_schema("model_version"), "drift_metrics", (*DRIFT_KEY, "model_version")),
        (profiled, profile_schema("model_version"), "profile_metrics",
         (*PROFILE_KEY, "model_version")),
        (decided, names, "recommendations", ["decision_id"]),
        ([came], DECISION_METRICS, "decision_metrics", METRICS_KEY),
        (done, RESPONSES, "responses", ["model", "as_of"]),
    ):  # fmt: skip
        tables.merge(spark.createDataFrame(rows, schema), settings.table(name), key)
    return open_platform(settings, spark)


def write(settings, platform, run="none"):
    watched = live_monitor(settings.table, COLUMNS)
    verdict = judge_drift(pd.DataFrame(), COLUMNS, settings.drift_threshold)
    seen = assess(verdict, pd.DataFrame(), {}, None, (), 0)
    return write_pages(settings, platform, watched, seen, run)


def test_pages_of_a_day_and_of_all_days(settings, platform):
    file = write(settings, platform, "job/20260302-1")
    text = file.read_text(encoding="utf-8")
    assert file.name == f"{settings.dataset}2026-03-02.html"
    assert "retrain: it moved" in text
    assert "region = north" in text
    assert "101" in text
    assert "2026-03-03" not in text  # what came later is not known on that day
    (address,) = re.findall(r'<a href="([^"]*)">This run', text)
    home = platform.volume.parents[3]
    assert (file.parent / address).resolve() == home / "runs/20260302-1/index.html"
    assert len(re.findall(r"dbb explain d\d --local", text)) == 2  # the best of each action
    index = (file.parent / f"{settings.dataset}index.html").read_text(encoding="utf-8")
    assert f'<a href="{file.name}">2026-03-02</a>' in index
    assert "<td>2026-03-01</td>" in index  # measured, but without a page
    assert "retrain: it moved" in index
    for told in ("risk, of 100: 50", "value: 1.5", "lift: 0.25", "roc auc score: 0.75"):
        assert told in index, told
    assert "value low" not in index  # the ends of an interval are its band


def test_a_rerun_writes_the_same(settings, platform):
    file = write(settings, platform)
    index = file.parent / f"{settings.dataset}index.html"
    before = [each.read_bytes() for each in (file, index)]
    assert write(settings, platform) == file
    assert [each.read_bytes() for each in (file, index)] == before
    assert "This run" not in before[0].decode()


def test_making_up_for_an_earlier_day_leaves_the_index_at_the_newest(settings, platform):
    write(settings, platform)
    earlier = dataclasses.replace(settings, as_of=DAYS[0].date())
    file = write(earlier, platform)
    assert file.name.endswith("2026-03-01.html")
    index = (file.parent / f"{settings.dataset}index.html").read_text(encoding="utf-8")
    assert f'<a href="{settings.dataset}2026-03-02.html">newest (2026-03-02)' in index
    assert "retrain: it moved" in index
    file.unlink()
