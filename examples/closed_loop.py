"""The closed loop, day by day: decide, see what came of it, watch, and learn anew when it drifts.

Runs the bundle's own jobs on a lakehouse of its own: lifecycle_job on the first day, then every
day data_pipeline_job, inference_job and monitoring_job, whose own condition starts training_job.
In the middle the simulated world drifts: a portfolio with other customers is taken over, and
customers respond otherwise than before. Draws, per day and decision, the true expected net value
of our policy, of its control group, of the logging policy and of the oracle. Prints the means
before the drift, after it, and at the end; exits 1 when a job fails or the policy hasn't recovered.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
from deltalake import DeltaTable
from matplotlib.figure import Figure
from rich.progress import Progress

from nextbest.bundle import find_root, load
from nextbest.data.interactions import FATIGUE_CAP
from nextbest.data.logging_policy import logging_probabilities
from nextbest.data.truth import truth
from nextbest.data.world import TREATMENTS, World, customers
from nextbest.runner.process import ForkServer
from nextbest.runner.start import preload, run_job

FIRST = dt.date(2026, 3, 1)
# Everybody is decided for every day, by the logging policy before and by ours after: were it less
# often before, the features that count contacts would drift without any drift of the world.
WORLD = {"customers": 3000, "history_days": 60, "decisions_per_day": 3000, "attribution_days": 4}
EXPLORATION = 0.2  # who expects the world to drift pays for noticing it
SCHEMA = ("juan_dev", "ml_nba_demo_dev")
LEARNED = 14  # days at the end over which the recovered policy is measured
RECOVERED = 0.8  # of its share of the oracle's gap before the drift
LINES = {"oracle": "#999999", "ours": "#0b6e4f", "logging policy": "#c1553b", "control": "#4062bb"}


def main() -> int:
    """Run the loop, draw it, and say whether the policy recovered; returns the exit code."""
    given = _arguments()
    lakehouse = Path(given.lakehouse).absolute()
    if not given.keep:
        shutil.rmtree(lakehouse, ignore_errors=True)
    turn = FIRST + dt.timedelta(days=given.days // 2)
    failed = run_days(lakehouse, given.days, turn, given.seed)
    if failed:
        print(failed)
        return 1
    values = daily_values(lakehouse, turn, given.seed)
    retrained = new_champions(lakehouse)
    picture = lakehouse / "closed_loop.png"
    draw(values, turn, retrained, picture)
    values.to_csv(picture.with_suffix(".csv"), index_label="day")
    return report(values, turn, retrained, picture)


def run_days(lakehouse: Path, days: int, turn: dt.date, seed: int) -> str:
    """Run the jobs of `days` days from FIRST on; says what failed, or nothing."""
    told = {**WORLD, "seed": seed, "drift": "both", "drift_from": turn, "min_ess": 200}
    told["exploration"] = EXPLORATION
    told["contact_policy"] = "none"  # nor do the logging policy and the oracle have one
    bundle = load(find_root(Path(__file__).parent))
    with closing(ForkServer(preload())) as server, Progress() as progress:
        done = days_done(lakehouse)
        bar = progress.add_task("closed loop", total=days, completed=done)
        for number in range(done, days):
            day = FIRST + dt.timedelta(days=number)
            jobs = ["data_pipeline_job", "inference_job", "monitoring_job"]
            for job in jobs if number else ["lifecycle_job"]:
                progress.update(bar, description=f"{day} {job}")
                parameters = {name: str(value) for name, value in {**told, "as_of": day}.items()}
                record = run_job(
                    bundle,
                    job,
                    lakehouse=lakehouse,
                    parameters=parameters,
                    progress=False,
                    server=server,
                )
                if record.state not in ("SUCCESS", "SUCCESS_WITH_FAILURES"):
                    return f"{day}: {job} ended {record.state}: dbb runs show {record.run_id}"
            progress.advance(bar)
    return ""


def days_done(lakehouse: Path) -> int:
    """Days that need not be run again, of a lakehouse that was kept; the last one may be half."""
    if not lakehouse.joinpath(*SCHEMA, "recommendations").is_dir():
        return 0
    return max(_table(lakehouse, "recommendations", ["as_of"])["as_of"].nunique() - 1, 0)


def daily_values(lakehouse: Path, turn: dt.date, seed: int) -> pd.DataFrame:
    """True expected net value per decision, by day: ours, control, logging policy, oracle, none.

    All are means over the customers that we decided for on that day.
    """
    world = World(seed=seed, drift="both", drift_from=turn, **WORLD)
    decisions = _table(lakehouse, "decisions", ["customer_id", "decided_at", "treatment", "policy"])
    control = _table(lakehouse, "recommendations", ["customer_id", "as_of", "control_group"])
    contacts = _table(lakehouse, "customer_features", ["customer_id", "as_of", "contacts_7d"])
    decisions = decisions[decisions["policy"] != "logging"]
    decisions["as_of"] = decisions["decided_at"].dt.tz_localize(None).dt.normalize()
    control["as_of"] = pd.to_datetime(control["as_of"])
    contacts["as_of"] = contacts["as_of"].dt.tz_localize(None)
    keys = ["customer_id", "as_of"]
    decisions = decisions.merge(control, on=keys).merge(contacts, on=keys)
    rows = {day: _day(world, day, of_day) for day, of_day in decisions.groupby("as_of")}
    return pd.DataFrame.from_dict(rows, orient="index")


def _day(world: World, day: pd.Timestamp, decided: pd.DataFrame) -> dict[str, float]:
    base = customers(world, day.date()).set_index("customer_id", drop=False)
    base = base.loc[decided["customer_id"]].reset_index(drop=True)
    fatigue = np.minimum(decided["contacts_7d"].to_numpy(), FATIGUE_CAP)
    known = truth(world, base, day.date(), fatigue)
    days = np.full(len(base), np.datetime64(day.date()))
    chosen = pd.Index(TREATMENTS).get_indexer(decided["treatment"])
    worth = known.net_value[np.arange(len(base)), chosen]
    control = decided["control_group"].to_numpy()
    logging = logging_probabilities(world, base, days, fatigue)
    return {
        "ours": worth[~control].mean(),
        "control": worth[control].mean(),
        "logging policy": (logging * known.net_value).sum(axis=1).mean(),
        "oracle": np.where(known.eligible, known.net_value, -np.inf).max(axis=1).mean(),
        "none": known.net_value[:, TREATMENTS.index("none")].mean(),
    }


def new_champions(lakehouse: Path) -> list[dt.date]:
    """Days on which another version decided than on the day before."""
    decided = _table(lakehouse, "recommendations", ["as_of", "model_version"])
    versions = decided.groupby("as_of")["model_version"].max()
    return [pd.Timestamp(day).date() for day in versions.index[versions != versions.shift()][1:]]


def draw(values: pd.DataFrame, turn: dt.date, retrained: list[dt.date], file: Path) -> None:
    """Value per decision and day of each policy, with the drift and the retrainings."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    for name, colour in LINES.items():
        width = 2.2 if name == "ours" else 1.2
        smooth = values[name].rolling(3, min_periods=1, center=True).mean()
        axes.plot(values.index, smooth, color=colour, lw=width, label=name)
        if name == "ours":
            axes.plot(values.index, values[name], ".", color=colour, ms=4, alpha=0.5)
    axes.axvline(pd.Timestamp(turn), color="black", lw=1, ls="--")
    axes.annotate("drift", (pd.Timestamp(turn), axes.get_ylim()[1]), va="top", xytext=(4, -2),
                  textcoords="offset points")  # fmt: skip
    for number, day in enumerate(retrained):
        axes.axvline(
            pd.Timestamp(day), color="#0b6e4f", lw=0.8, alpha=0.3,
            label="new champion" if number == 0 else None,
        )  # fmt: skip
    axes.set_ylabel("true expected net value per decision")
    axes.set_title("Closed loop: value per day (three-day means)")
    axes.legend(loc="upper left", frameon=False, ncols=3)
    axes.margins(x=0.01)
    figure.autofmt_xdate()
    figure.savefig(file, dpi=130)


def report(values: pd.DataFrame, turn: dt.date, retrained: list[dt.date], picture: Path) -> int:
    """Print the share of the oracle's gap that each policy captured; the exit code."""
    after = values[values.index >= pd.Timestamp(turn)]
    spans = {
        "before the drift": values[values.index < pd.Timestamp(turn)],
        "the week after": after[:7],
        f"the last {LEARNED} days": after[-LEARNED:],
    }
    print(f"{'share of the oracle gap':<26}{'ours':>8}{'control':>10}{'logging policy':>16}")
    shares = {}
    for name, span in spans.items():
        mean = span.mean()
        gap = mean["oracle"] - mean["none"]
        policies = ("ours", "control", "logging policy")
        shares[name] = {p: (mean[p] - mean["none"]) / gap for p in policies}
        print(f"{name:<26}{shares[name]['ours']:>8.0%}{shares[name]['control']:>10.0%}"
              f"{shares[name]['logging policy']:>16.0%}")  # fmt: skip
    first, *_, last = (share["ours"] for share in shares.values())
    told = ", ".join(map(str, retrained[:6])) + (" …" if len(retrained) > 6 else "")
    print(f"new champions, by the first day they decided: {told or 'none'}")
    print(f"picture: {picture}")
    if last < RECOVERED * first:
        print(f"not recovered: {last:.0%} at the end, {first:.0%} before the drift")
        return 1
    return 0


def _table(lakehouse: Path, name: str, columns: list[str] | None) -> pd.DataFrame:
    return DeltaTable(str(lakehouse.joinpath(*SCHEMA, name))).to_pandas(columns=columns)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--lakehouse", default=".lakehouse-loop")
    parser.add_argument("--keep", action="store_true", help="go on with the tables that are there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
