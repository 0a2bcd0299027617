"""What is told of simulated days, of tables that hold more days than were asked for."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pandas as pd
import pytest
from deltalake import write_deltalake

from nextbest.commands import simulate
from nextbest.commands.simulation import Simulation
from nextbest.commands.simulation_report import daily_values, new_champions
from nextbest.data.world import World, customers

pytestmark = pytest.mark.integration

THREE = Simulation(3, "none", 3, 7, 40, "dev")


@pytest.fixture
def folder(tmp_path):
    """Tables of three days: nobody is contacted, and each day another version decides."""
    world = World(7, 40, 90, 40, 4, "none", THREE.day(3))
    days = []
    for number in range(3):
        day = THREE.day(number)
        at = dt.datetime.combine(day, dt.time(8), dt.UTC)
        ids = customers(world, day)["customer_id"]
        days.append(pd.DataFrame({
            "customer_id": ids, "as_of": day, "decided_at": at, "treatment": "none",
            "policy": "ours", "control_group": ids.index % 4 == 0, "contacts_7d": 0,
            "model_version": str(number + 1),
        }))  # fmt: skip
    rows = pd.concat(days, ignore_index=True)
    features = rows.assign(as_of=rows["decided_at"].dt.normalize())
    home = tmp_path / "schema"
    write_deltalake(str(home / "recommendations"), rows)
    write_deltalake(str(home / "decisions"), rows.drop(columns="as_of"))
    write_deltalake(str(home / "customer_features"), features)
    return home


def test_the_days_asked_for_alone_are_told(folder):
    two = dataclasses.replace(THREE, days=2)
    whole, asked = daily_values(folder, THREE), daily_values(folder, two)
    assert [len(whole), len(asked)] == [3, 2]
    pd.testing.assert_frame_equal(asked, whole[:2])
    assert new_champions(folder, THREE) == [THREE.day(1), THREE.day(2)]
    assert new_champions(folder, two) == [THREE.day(1)]


def test_days_before_the_first_decision_are_told_as_such(folder, tmp_path, capsys):
    before = dataclasses.replace(THREE, first="2026-02-20")
    assert simulate._report(tmp_path, folder, before) == 1
    assert "no version passed the gate in 3 days" in capsys.readouterr().out
    assert simulate._report(tmp_path, folder, THREE) == 0
    assert "2026-03-03" in (tmp_path / "values.csv").read_text()
