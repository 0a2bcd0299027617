"""Features over real tables: what a model learns from is what it is asked with."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from nextbest import use_cases
from nextbest.lifecycle import engineer_features, frames, generate_data
from nextbest.lifecycle.asking import asked
from nextbest.platforms import open_platform

pytestmark = pytest.mark.integration
TODAY, LATER = dt.date(2026, 1, 20), dt.date(2026, 1, 26)


def table(spark, settings, name, day):
    rows = spark.table(settings.table(name)).where(f"as_of = TIMESTAMP '{day} 00:00:00'")
    frame = rows.toPandas()
    return frame.sort_values(list(frame.columns[:2]), ignore_index=True)


@pytest.mark.slow
def test_a_customers_day_is_one_row_for_training_and_for_inference(lakehouse):
    spark, settings = lakehouse
    today, later = settings(as_of=TODAY), settings(as_of=LATER)
    generate_data(today, spark)
    told = engineer_features(today, spark)
    assert "23 features" in told.summary
    actions = frames.actions_frame(today, spark)
    platform = open_platform(today, spark)
    scored = asked(today, platform, use_cases.load(today), actions, wide=False).toPandas()
    before = {name: table(spark, today, name, TODAY) for name in ("action_features",)}
    # Days later the same day is history: decisions of it have matured and are learned from.
    generate_data(later, spark)
    assert "online" not in told.summary
    platform.features.publish(today.table("customer_features"))  # as notebook 08 does
    assert engineer_features(later, spark).summary.endswith("features; online, too")
    learned = frames.learning_frame(later, platform, use_cases.load(later))
    learned = learned[learned["decided_at"].dt.strftime("%Y-%m-%d") == str(TODAY)]
    assert len(learned) == 20
    features = frames.feature_names(later, spark)
    one = learned.set_index("customer_id")[features].sort_index()
    other = scored.set_index("customer_id").loc[one.index, features]
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert (one["visits_30d"] > 0).any()
    for name, rows in before.items():
        pd.testing.assert_frame_equal(table(spark, later, name, TODAY), rows, check_exact=True)


@pytest.mark.slow
def test_every_column_is_told_in_words(lakehouse, tmp_path):
    spark, settings = lakehouse
    given = settings()
    generate_data(given, spark)
    for _ in range(2):  # again: nothing moves
        engineer_features(given, spark)
    page = (tmp_path / "volumes/prod/ml_nba_demo/landing/features.html").read_text()
    for name in ("customer_features", "customer_history", "action_features"):
        found = spark.table(given.table(name))
        keys = list(found.columns[: 3 if name == "action_features" else 2])
        assert found.count() == found.select(*keys).distinct().count() > 0
        for column in found.columns:
            assert f"<td>{column}</td>" in page, column
    assert "Number of offers with channel sms in the 30 days before" in page
