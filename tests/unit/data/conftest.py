"""Parts that the tests of the data room share."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from nextbest.data.world import World


@pytest.fixture(scope="session")
def small_world():
    """World of 400 customers, 100 decisions on each of 8 days; fields can be replaced."""
    base = World(
        seed=11,
        customers=400,
        history_days=8,
        decisions_per_day=100,
        attribution_days=7,
        drift="none",
        drift_from=dt.date(2026, 1, 5),
    )

    def make(**changes):
        return dataclasses.replace(base, **changes)

    return make


@pytest.fixture(scope="session")
def repeated():
    """The same day, n times, as stages of the world take it."""

    def make(day, count):
        return np.full(count, np.datetime64(day))

    return make
