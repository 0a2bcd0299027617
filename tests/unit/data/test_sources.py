from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from nextbest.data.contracts import contracts
from nextbest.data.sources import read_source, simulated_world
from nextbest.errors import DataError
from nextbest.settings import Settings

DAY = dt.date(2026, 1, 5)


@pytest.fixture(scope="module")
def settings():
    """Settings of a small run; fields can be replaced, as strings."""
    told = {
        "platform": "local", "catalog": "c", "schema": "s", "volume": "v", "use_case": "nba",
        "source": "simulated", "campaign": "men", "model_name": "c.s.m", "experiment": "/e",
        "endpoint": "e", "as_of": "2026-01-05", "seed": "3", "customers": "300",
        "history_days": "4", "decisions_per_day": "50", "attribution_days": "7",
        "holdout_days": "2", "exploration": "0.1", "confidence": "0.95", "min_lift": "0",
        "min_ess": "100", "release_to": "champion", "drift": "covariate",
        "drift_threshold": "0.2",
    }  # fmt: skip

    def make(**changes):
        return Settings.parse({**told, **changes})

    return make


@pytest.mark.integration
@pytest.mark.parametrize("source", ["simulated", "open_bandit"])
def test_a_source_fills_every_table_of_its_contracts(spark, settings, source):
    frames = read_source(spark, settings(source=source), None)
    assert list(frames) == list(contracts(source))


@pytest.mark.unit
def test_an_unknown_source_is_refused(settings):
    # Settings.parse refuses it too; a source may be called without it.
    strange = dataclasses.replace(settings(), source="warehouse")
    with pytest.raises(DataError, match="'warehouse'.*simulated, open_bandit"):
        read_source(None, strange, None)


@pytest.mark.unit
def test_nobody_knows_the_truth_of_real_logs(settings):
    with pytest.raises(DataError, match="only of 'simulated'"):
        simulated_world(settings(source="open_bandit"), None)


@pytest.mark.integration
def test_drift_begins_on_the_first_day_of_our_own(spark, settings):
    def table(*rows):
        frame = pd.DataFrame(rows, columns=["policy", "decided_at"])
        frame["decided_at"] = pd.to_datetime(frame["decided_at"], utc=True)
        return spark.createDataFrame(pa.Table.from_pandas(frame))

    logged = ("logging", "2026-01-01 10:00:00")
    assert simulated_world(settings(), None).drift_from == DAY
    assert simulated_world(settings(), table(logged)).drift_from == DAY
    own = table(logged, ("nba", "2026-01-03 08:00:00"), ("nba", "2026-01-04 08:00:00"))
    assert simulated_world(settings(), own).drift_from == dt.date(2026, 1, 3)
    world = simulated_world(settings(), own)
    assert (world.seed, world.customers, world.drift) == (3, 300, "covariate")
