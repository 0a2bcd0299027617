"""Which simulated days are done, what a folder may be taken for, and when a policy recovered."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from nextbest.commands import simulation, simulation_report
from nextbest.commands.simulation import Simulation
from nextbest.errors import UsageError

pytestmark = pytest.mark.unit

SIXTY = Simulation(60, "both", 30, 7, 3000, "dev")


def test_a_drift_has_a_kind_and_a_day():
    assert simulation.read_drift("concept@30", 60) == ("concept", 30)
    assert simulation.read_drift("none", 60) == ("none", 60)


@pytest.mark.parametrize("text", ["", "concept", "sudden@3", "both@0", "both@60", "both@-1"])
def test_what_is_no_drift_is_refused(text):
    with pytest.raises(UsageError, match="--drift"):
        simulation.read_drift(text, 60)


def test_days_are_counted_of_the_same_simulation_only(tmp_path):
    folder = tmp_path / "days"
    assert simulation.days_done(folder, SIXTY) == 0
    simulation._keep(folder, SIXTY, 12)
    assert simulation.days_done(folder, SIXTY) == 12
    assert simulation.days_done(folder, dataclasses.replace(SIXTY, days=90)) == 12
    other = dataclasses.replace(SIXTY, seed=8, parameters={"exploration": "0.1"})
    with pytest.raises(UsageError, match="seed was 7, is 8; .*parameters was"):
        simulation.days_done(folder, other)


def test_a_shorter_run_forgets_no_day_that_a_longer_one_did(tmp_path):
    folder = tmp_path / "days"
    simulation._keep(folder, SIXTY, 60)
    for days in (40, 60):
        simulation.run_days(None, folder, dataclasses.replace(SIXTY, days=days))  # none is left
        assert simulation.days_done(folder, dataclasses.replace(SIXTY, days=90)) == 60


def test_days_without_a_drift_can_be_continued(tmp_path):
    folder = tmp_path / "days"
    calm, more = (Simulation(days, *simulation.read_drift("none", days), 7, 3000, "dev")
                  for days in (60, 90))  # fmt: skip
    simulation._keep(folder, calm, 60)
    assert simulation.days_done(folder, more) == 60
    for drift in ("both@30", "concept@60"):
        kind, day = simulation.read_drift(drift, 90)
        with pytest.raises(UsageError, match="drift was 'none'"):
            simulation.days_done(folder, dataclasses.replace(more, drift=kind, drift_day=day))
    simulation._keep(folder, SIXTY, 1)
    with pytest.raises(UsageError, match="drift_day was 30, is 20"):
        simulation.days_done(folder, dataclasses.replace(SIXTY, drift_day=20))


def test_only_a_simulation_is_deleted(tmp_path):
    folder = tmp_path / "days"
    simulation.forget(folder)
    (folder / "mine").mkdir(parents=True)
    with pytest.raises(UsageError, match="holds none"):
        simulation.forget(folder)
    with pytest.raises(UsageError, match="holds no simulation"):
        simulation.days_done(folder, SIXTY)
    simulation._keep(folder, SIXTY, 1)
    simulation.forget(folder)
    assert not folder.exists()


def test_parameters_given_win_and_the_day_is_the_days_own():
    told = dataclasses.replace(SIXTY, parameters={"exploration": "0.5", "as_of": "2000-01-01"})
    assert told.job_parameters(3)["exploration"] == "0.5"
    assert told.job_parameters(3)["as_of"] == "2026-03-04"
    assert told.job_parameters(3)["drift_from"] == "2026-03-31"


@pytest.mark.parametrize(
    ("end", "days", "recovered", "said"),
    [(0.7, 60, True, "recovered: 70%"), (0.5, 60, False, "not recovered: 50%"),
     (0.1, 40, True, "too few")],
)  # fmt: skip
def test_a_policy_recovers_when_it_captures_most_of_what_it_did(end, days, recovered, said):
    ours = [0.75] * 30 + [0.3] * (days - 44) + [end] * 14
    index = pd.date_range("2026-03-01", periods=len(ours))
    values = pd.DataFrame({"ours": ours, "oracle": 1.0, "none": 0.0, "control": 0.1}, index=index)
    values["logging policy"] = 0.4
    wanted = dataclasses.replace(SIXTY, days=days)
    shares = simulation_report.shares(values, wanted)
    assert shares["before the drift"] == pytest.approx(
        {"ours": 0.75, "control": 0.1, "logging policy": 0.4}
    )
    found = simulation_report.recovery(shares, wanted)
    assert found[0] is recovered
    assert said in found[1]
