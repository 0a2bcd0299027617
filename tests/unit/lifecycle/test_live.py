"""What the champion's endpoint is given: the features of the day, wherever the laptop stands."""

from __future__ import annotations

import datetime as dt

import pytest

from nextbest.errors import DataError
from nextbest.lifecycle import live
from nextbest.platforms import open_platform

pytestmark = pytest.mark.integration


@pytest.mark.slow
def test_the_newest_features_are_those_of_the_day_in_every_zone(lakehouse, in_lima):
    spark, settings = lakehouse
    platform, table = open_platform(settings(), spark), settings().table("customer_features")
    frame = spark.sql(
        "SELECT 'c1' AS customer_id, timestamp'2026-01-20 00:00:00Z' AS as_of, 1.0D AS spend"
    )
    platform.features.write(table, frame, ["customer_id"], "as_of")
    assert live._bring_online(settings(), platform).table
    with pytest.raises(DataError, match="pass as_of=2026-01-20"):
        live._bring_online(settings(as_of=dt.date(2026, 1, 19)), platform)
