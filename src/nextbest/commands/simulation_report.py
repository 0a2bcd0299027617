"""What simulated days were worth: a row per day, a picture, and whether the policy recovered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from nextbest.commands.simulation import Simulation
from nextbest.data.true_values import POLICIES, day_values
from nextbest.data.world import World
from nextbest.platforms.local.delta import delta_dataset

SPAN = 14  # days at the end over which the recovered policy is measured
RECOVERED = 0.8  # of its share of the oracle's gap before the drift
LINES = {"oracle": "#999999", "ours": "#0b6e4f", "logging policy": "#c1553b", "control": "#4062bb"}


def daily_values(folder: Path, wanted: Simulation) -> pd.DataFrame:
    """True expected net value per decision of each policy, a row per day that we decided on.

    folder: that of the schema, with a folder per table; a longer run's later days are left out.
    """
    told = wanted.job_parameters(0)
    numbers = ("customers", "history_days", "decisions_per_day", "attribution_days", "seed")
    world = World(
        **{name: int(told[name]) for name in numbers},
        drift=wanted.drift,
        drift_from=dt.date.fromisoformat(told["drift_from"]),
    )
    decisions = _table(folder, "decisions", "customer_id", "decided_at", "treatment", "policy")
    control = _table(folder, "recommendations", "customer_id", "as_of", "control_group")
    contacts = _table(folder, "customer_features", "customer_id", "as_of", "contacts_7d")
    decisions = decisions[decisions["policy"] != "logging"]
    decisions = decisions.assign(as_of=decisions["decided_at"].dt.tz_localize(None).dt.normalize())
    decisions = decisions[decisions["as_of"] < pd.Timestamp(wanted.day(wanted.days))]
    control["as_of"] = pd.to_datetime(control["as_of"])
    contacts["as_of"] = contacts["as_of"].dt.tz_localize(None)
    keys = ["customer_id", "as_of"]
    decisions = decisions.merge(control, on=keys).merge(contacts, on=keys)
    rows = {day: day_values(world, day.date(), its) for day, its in decisions.groupby("as_of")}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(POLICIES))


def new_champions(folder: Path, wanted: Simulation) -> list[dt.date]:
    """Days, of those asked for, on which another version decided than on the day before."""
    decided = _table(folder, "recommendations", "as_of", "model_version")
    decided = decided[pd.to_datetime(decided["as_of"]) < pd.Timestamp(wanted.day(wanted.days))]
    versions = decided.groupby("as_of")["model_version"].max()
    return [pd.Timestamp(day).date() for day in versions.index[versions != versions.shift()][1:]]


def shares(values: pd.DataFrame, wanted: Simulation) -> dict[str, Mapping[str, float]]:
    """Which share of the oracle's gap each policy captured, by stretch of time."""
    turn = pd.Timestamp(wanted.day(wanted.drift_day))
    after = values[values.index >= turn]
    spans = {"before the drift": values[values.index < turn]}
    if wanted.drift == "none":
        spans = {"all days": values}
    else:
        spans |= {"the week after": after[:7], f"the last {SPAN} days": after[-SPAN:]}
    found = {}
    for name, span in spans.items():
        mean = span.mean()
        gap = mean["oracle"] - mean["none"]
        policies = ("ours", "control", "logging policy")
        found[name] = {policy: (mean[policy] - mean["none"]) / gap for policy in policies}
    return found


def recovery(found: Mapping[str, Mapping[str, float]], wanted: Simulation) -> tuple[bool, str]:
    """Whether the policy has recovered from the drift, and in words; vacuously without one."""
    if wanted.drift == "none":
        return True, ""
    since = wanted.days - wanted.drift_day
    if since < SPAN:
        return True, f"{since} days after the drift are too few to tell of a recovery ({SPAN})"
    first, *_, last = (share["ours"] for share in found.values())
    recovered = bool(last >= RECOVERED * first)
    told = f"{last:.0%} at the end, {first:.0%} before the drift"
    return recovered, f"{'recovered' if recovered else 'not recovered'}: {told}"


def draw(values: pd.DataFrame, wanted: Simulation, champions: list[dt.date]) -> Figure:
    """Value per decision and day of each policy, with the drift and the new champions."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    for name, colour in LINES.items():
        width = 2.2 if name == "ours" else 1.2
        smooth = values[name].rolling(3, min_periods=1, center=True).mean()
        axes.plot(values.index, smooth, color=colour, lw=width, label=name)
        if name == "ours":
            axes.plot(values.index, values[name], ".", color=colour, ms=4, alpha=0.5)
    if wanted.drift != "none":
        turn = pd.Timestamp(wanted.day(wanted.drift_day))
        axes.axvline(turn, color="black", lw=1, ls="--")
        axes.annotate("drift", (turn, axes.get_ylim()[1]), va="top", xytext=(4, -2),
                      textcoords="offset points")  # fmt: skip
    for number, day in enumerate(champions):
        axes.axvline(
            pd.Timestamp(day), color="#0b6e4f", lw=0.8, alpha=0.3,
            label="new champion" if number == 0 else None,
        )  # fmt: skip
    axes.set_ylabel("true expected net value per decision")
    axes.set_title("Closed loop: value per day (three-day means)")
    axes.legend(loc="upper left", frameon=False, ncols=3)
    axes.margins(x=0.01)
    figure.autofmt_xdate()
    return figure


def _table(folder: Path, name: str, *columns: str) -> pd.DataFrame:
    return delta_dataset(folder / name).to_table(columns=list(columns)).to_pandas()
