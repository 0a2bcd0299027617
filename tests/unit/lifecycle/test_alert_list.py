"""Who looks after an alert, as it is written down."""

from __future__ import annotations

import time

import pytest

from nextbest.lifecycle.alert_list import acknowledge_here

pytestmark = pytest.mark.integration


def test_when_an_alert_was_acknowledged_is_utc_in_every_zone(lakehouse, in_lima):
    spark, settings = lakehouse
    begun = int(time.time())
    acknowledge_here(settings(), spark, "a1", "me", "a new price list")
    table = settings().table("alert_acknowledgements")
    (row,) = spark.sql(f"SELECT unix_timestamp(acknowledged_at) AS at FROM {table}").collect()
    assert begun <= row["at"] <= time.time()
