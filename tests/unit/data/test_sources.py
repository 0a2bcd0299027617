from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from nextbest.data.contracts import contracts
from nextbest.data.sources import read_source, simulated_world
from nextbest.errors import DataError, SettingsError
from nextbest.settings import Settings

DAY = dt.date(2026, 1, 5)


_ANY = {"str": "x", "int": 1, "float": 0.5, "dt.date": DAY}


@pytest.fixture(scope="module")
def settings():
    """Settings of a small run; what the sources don't read is anything of its type."""
    told = {field.name: _ANY[str(field.type)] for field in dataclasses.fields(Settings)}
    small = {"seed": 3, "customers": 300, "history_days": 4, "decisions_per_day": 50}
    world = {"source": "simulated", "campaign": "men", "drift": "covariate", "drift_from": "live"}

    def make(**changes):
        return Settings(**{**told, **small, **world, **changes})

    return make


@pytest.mark.integration
@pytest.mark.parametrize("source", ["simulated", "open_bandit"])
def test_a_source_fills_every_table_of_its_contracts(spark, settings, source, tmp_path):
    frames = read_source(spark, settings(source=source), None, tmp_path, None)
    assert list(frames) == list(contracts(source))


@pytest.mark.unit
def test_an_unknown_source_is_refused(settings):
    with pytest.raises(DataError, match="'warehouse'.*simulated, open_bandit"):
        read_source(None, settings(source="warehouse", mapping="none"), None, None, None)


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


@pytest.mark.unit
def test_drift_begins_on_the_day_that_is_told(settings):
    told = settings(drift_from="2026-01-04")
    assert simulated_world(told, None).drift_from == dt.date(2026, 1, 4)
    with pytest.raises(SettingsError, match="'drift_from' is 'soon': use live, or a date"):
        simulated_world(settings(drift_from="soon"), None)
