"""Our own profiling where there are labels: the quality of a day, also when they come later."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from monitored_tables import DAY, make, read, rows, whole

from nextbest.errors import DataError
from nextbest.monitoring.labels import CLASSIFICATION
from nextbest.monitoring.schemas import profile_schema

pytestmark = pytest.mark.integration


def quality(spark, names, day):
    """The row of profile_metrics that tells the quality of all models together."""
    (row,) = read(spark, names.profile, f"{whole(':table')}log_type = 'INPUT' "
                  f"AND day(window.start) = {day} AND slice_key IS NULL")  # fmt: skip
    return row


def test_labels_that_come_later_tell_the_quality_of_their_day(spark):
    log = rows(600, [4, 5], 1)
    log["taken"] = log["channel"].where(log.index % 3 > 0, None)
    log["said"] = np.where(log.index % 5 > 0, log["channel"], "letter")
    unlabelled = log.assign(taken=pd.Series([None] * 600, dtype="string"))
    base = rows(300, [1], 2)  # without a label: its quality is unknown
    given = {"prediction": "said", "label": "taken", "problem": CLASSIFICATION}
    monitors, monitor = make(spark, "labelled", unlabelled, base, **given)
    names = monitors.tables(monitor)
    for day in (4, 5):
        monitors.refresh(monitor, dt.date(2026, 3, day))
        assert quality(spark, names, day)["accuracy_score"] is None
    # Not one row more, but what is known of them.
    spark.createDataFrame(log).write.format("delta").mode("overwrite").saveAsTable(monitor.table)
    monitors.refresh(monitor, DAY)
    for day in (4, 5):
        known = log[(log["at"].dt.day == day) & log["taken"].notna()]
        found = quality(spark, names, day)
        right = (known["taken"] == known["said"]).mean()
        assert found["accuracy_score"] == pytest.approx(right)
        assert sum(pair["count"] for pair in found["confusion_matrix"]) == len(known)
        assert dict(found["recall"]["one_vs_all"]).keys() == {"sms", "call", "letter"}
        assert found["mean_squared_error"] is None
    before = read(spark, names.profile)
    monitors.refresh(monitor, DAY)
    assert read(spark, names.profile) == before


def test_metric_tables_of_an_earlier_version_get_the_columns_of_quality(spark):
    log = rows(200, [4, 5], 1)
    log["came"] = log["score"] * 2 + 1
    monitors, monitor = make(spark, "older", log, rows(300, [1], 2), label="came")
    names = monitors.tables(monitor)
    monitors.refresh(dataclasses.replace(monitor, label=None), dt.date(2026, 3, 4))
    now = profile_schema("version").names
    then = now[: now.index("version") + 1]
    kept = spark.createDataFrame(spark.table(names.profile).select(*then).toArrow())
    kept.write.format("delta").mode("overwrite").option("overwriteSchema", "true").saveAsTable(
        names.profile
    )
    assert spark.table(names.profile).columns == then
    monitors.refresh(monitor, DAY)
    assert spark.table(names.profile).columns == now
    today = log[log["at"].dt.day == 5]
    away = today["score"] - today["came"]
    found = quality(spark, names, 5)
    assert found["root_mean_squared_error"] == pytest.approx((away**2).mean() ** 0.5, rel=1e-9)
    assert found["f1_score"] is None


@pytest.mark.parametrize("label", ["channel", "gone"])
def test_labels_that_can_not_be_compared_are_refused_by_name(spark, label):
    monitors, monitor = make(spark, "unlike", rows(20, [5], 1), label=label)
    with pytest.raises(DataError, match=f"regression.*{label}"):
        monitors.refresh(monitor, DAY)
