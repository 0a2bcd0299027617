"""Days on which a column went wrong: measured, judged and told on a page, each on real tables."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from unit.test_touched import VALUES

from nextbest import tables
from nextbest.errors import DataError
from nextbest.lifecycle.reporting import write_pages
from nextbest.monitoring.assessment import assess
from nextbest.monitoring.decision_metrics import KEY, SCHEMA
from nextbest.monitoring.verdict import judge_drift
from nextbest.platforms import open_platform
from nextbest.platforms.watched import live_monitor
from nextbest.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("mlflow")]
HOME = "juan_dev.ml_nba_demo_dev"
N = 4000
# Each on a day of its own, further apart than rows may come late.
DAYS = iter([dt.date(2026, 1, 1) + dt.timedelta(days=60 * at) for at in range(20)])
WATCHED = ("spend", "channel", "code")
BAD = {
    "calm": {},
    "all null": {"spend": None},
    "inf": {"spend": lambda was: was.where(np.arange(N) % 3 > 0, np.inf)},
    "nan": {"spend": lambda was: was.where(np.arange(N) % 5 > 2, np.nan)},
    "one value": {"spend": 1.0},
    "one category": {"channel": "sms"},
    "as many codes as rows": {"code": lambda was: [f"c{at}" for at in range(N)]},
}


def rows(n, day, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "decision_id": [f"{day}-{at}" for at in range(n)],
        "decided_at": pd.Timestamp(day) + pd.Timedelta(hours=8),
        "model_version": "3",
        "action_id": rng.choice(["tea", "mug"], n),
        "channel": rng.choice(["sms", "call"], n),
        "expected_value": rng.normal(size=n),
        "spend": rng.normal(size=n),
        "code": rng.choice(list("abcdef"), n),
    })  # fmt: skip


@pytest.fixture
def judged(spark, local_mlflow, tmp_path):
    """Measure and judge a day with columns replaced: (columns) → (verdict, the day's page)."""
    (local_mlflow(tmp_path) / "mlflow").mkdir(exist_ok=True)
    today = next(DAYS)
    settings = Settings.parse(
        VALUES | {"catalog": "juan_dev", "schema": "ml_nba_demo_dev", "as_of": str(today),
                  "model_name": f"{HOME}.bad_days", "source": "open_bandit", "campaign": "women"}
    )  # fmt: skip
    platform = open_platform(settings, spark)
    watched = live_monitor(settings.table, WATCHED, ("channel",))

    def write(frame, name):
        told = spark.createDataFrame(frame).write.format("delta")
        told.mode("overwrite").option("overwriteSchema", "true").saveAsTable(settings.table(name))

    def judge(**columns):
        day = rows(N, today, 1)
        for name, given in columns.items():
            told = given(day[name]) if callable(given) else given
            day[name] = pd.Series([None] * N, dtype="float64") if told is None else told
        write(day, "recommendations")
        write(rows(N, today - dt.timedelta(days=9), 2), "training_baseline")
        tables.merge(spark.createDataFrame([], SCHEMA), settings.table("decision_metrics"), KEY)
        platform.monitors.refresh(watched, today)
        found = spark.table(platform.monitors.tables(watched).drift)
        every = found.where("slice_key IS NULL AND model_version = '*'").toPandas()
        of_day = every[every["window"].map(lambda window: window["start"].date() == today)]
        verdict = judge_drift(of_day, WATCHED, 0.2)
        seen = assess(verdict, of_day, {}, None, (), 0)
        return verdict, write_pages(settings, platform, watched, seen, "none").read_text("utf-8")

    return judge


@pytest.mark.parametrize(
    "kind",
    [kind if kind in ("calm", "nan") else pytest.param(kind, marks=pytest.mark.slow)
     for kind in BAD],
)  # fmt: skip
def test_a_day_gone_wrong_is_measured_judged_and_told(judged, kind):
    verdict, page = judged(**BAD[kind])
    assert [each.column for each in verdict.findings] == list(BAD[kind])
    assert ("No drift" in page) == (kind == "calm")
    assert "channel = sms" in page


def test_a_type_changed_since_yesterday_is_refused_in_words(judged):
    with pytest.raises(DataError, match="spend"):
        judged(spend="much")
