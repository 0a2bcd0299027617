"""Rows of tables that go online, and what is read of them there."""

from __future__ import annotations

import datetime as dt

SCHEMA = "juan_dev.ml_nba_demo_dev"
COLUMNS = "customer_id string, as_of timestamp, spend double, visits int"
UTC = dt.UTC


def at(day):
    return dt.datetime(2026, 1, day)


ROWS = [("a", at(1), 1.0, 1), ("a", at(3), 3.0, None), ("b", at(2), float("nan"), 2)]


def row(name, day, spend, visits):
    return {
        "customer_id": name, "as_of": at(day).replace(tzinfo=UTC), "spend": spend, "visits": visits,
    }  # fmt: skip
