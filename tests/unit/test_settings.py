"""Settings travel as strings and arrive typed, or not at all."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from nextbest.errors import SettingsError
from nextbest.settings import Settings, slices_of

pytestmark = pytest.mark.unit

GOOD = {
    "platform": "local", "catalog": "juan_dev", "schema": "ml_nba_demo_dev", "volume": "landing",
    "use_case": "nba", "source": "simulated", "mapping": "none", "campaign": "all",
    "model_name": "juan_dev.s.nba",
    "experiment": "/nba", "endpoint": "nba", "as_of": "2026-03-01", "seed": "7",
    "customers": "100", "history_days": "60", "decisions_per_day": "10", "attribution_days": "7",
    "holdout_share": "0.3", "exploration": "0.1", "control_share": "0.02", "confidence": "0.95",
    "min_lift": "0", "min_ess": "1000", "max_contact_growth": "0.1", "monitor_slices": "channel",
    "model_version": "candidate", "release_to": "champion", "drift": "none",
    "drift_from": "live", "drift_threshold": "0.2",
    "drift_windows": "3 of 4", "max_rejected_share": "0.02",
    "exploration_floor": "0", "temperature": "0",
    "thompson_draws": "0",
    "eligibility_share": "0", "contact_policy": "none", "channel_capacity": "none",
    "daily_budget": "none",
    "retrain_cooldown_days": "3", "retrain_cap": "5", "retrain_window_days": "30",
    "alert_channels": "log", "alert_reminder_days": "7", "profiling": "own",
}  # fmt: skip


class Widgets:
    """A notebook's widgets: what was passed, and what the notebook declares."""

    def __init__(self, passed):
        self.values = dict(passed)

    def text(self, name, default):
        self.values.setdefault(name, default)

    def get(self, name):
        return self.values[name]


def test_strings_become_typed_values():
    settings = Settings.parse(GOOD)
    assert settings.as_of == dt.date(2026, 3, 1)
    assert (settings.seed, settings.exploration) == (7, 0.1)
    assert set(GOOD) == {field.name for field in dataclasses.fields(Settings)}


def test_widgets_that_were_passed_win_and_missing_ones_are_all_named():
    assert Settings.from_widgets(Widgets(GOOD)) == Settings.parse(GOOD)
    passed = {key: value for key, value in GOOD.items() if key not in ("seed", "catalog")}
    with pytest.raises(
        SettingsError, match="2 missing: catalog .text., seed .whole number."
    ) as caught:
        Settings.from_widgets(Widgets(passed))
    assert "a target in the widget 'target'" in str(caught.value)


def test_an_empty_widget_takes_its_default_and_a_filled_one_wins():
    passed = {**GOOD, "seed": " ", "customers": "5"}
    chosen = Settings.from_widgets(Widgets(passed), {**GOOD, "seed": "9", "customers": "6"})
    assert (chosen.seed, chosen.customers) == (9, 5)


@pytest.mark.parametrize(
    "source",
    ["jdbc:sqlserver://h:1433;user=u;password=hunter2", "https://u:hunter2@h/log.csv",
     "https://h/log.csv?sv=1&sig=hunter2"],
)  # fmt: skip
def test_a_setting_with_a_password_is_refused_and_not_repeated(source):
    with pytest.raises(SettingsError, match="'source' holds a password") as caught:
        Settings.parse(GOOD | {"source": source, "mapping": "m.yml"})
    assert "hunter2" not in str(caught.value)


def test_all_problems_are_told_together():
    broken = GOOD | {"as_of": "yesterday", "seed": "x", "platform": "laptop", "sede": "1"}
    with pytest.raises(SettingsError) as caught:
        Settings.parse(broken)
    for told in ("'sede' is no setting: did you mean 'seed'", "'as_of' is 'yesterday'",
                 "not a whole number", "'platform' is 'laptop'"):  # fmt: skip
        assert told in str(caught.value)


def test_each_log_has_its_own_tables_and_model():
    simulated = Settings.parse(GOOD)
    real = Settings.parse(GOOD | {"source": "open_bandit", "campaign": "men"})
    assert simulated.table("decisions") == "juan_dev.ml_nba_demo_dev.decisions"
    assert real.table("decisions") == "juan_dev.ml_nba_demo_dev.open_bandit_men_decisions"
    assert (simulated.model, real.model) == ("juan_dev.s.nba", "juan_dev.s.nba_open_bandit_men")


def test_slices_are_names_or_sql_and_none():
    assert slices_of("channel; age > 40 ;channel;") == ("channel", "age > 40")
    assert slices_of(" none ") == ()
