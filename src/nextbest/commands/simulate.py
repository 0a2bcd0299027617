"""`dbb simulate`: the bundle's own jobs, day by day, in a world that drifts."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from pathlib import Path

from nextbest.bundle import find_root, load
from nextbest.bundle.flags import parse_variables
from nextbest.commands import simulation
from nextbest.commands.explain import settings_of
from nextbest.errors import UsageError
from nextbest.runner.command import pairs


def simulate(args: argparse.Namespace) -> int:
    """Run the days asked for, write values.csv and values.png, tell how the policies did.

    Returns 1 when the policy has not recovered from the drift by the end. Raises UsageError for
    options that don't fit, RunError for a job that did not end well; the same command goes on.
    """
    if args.days < 1:
        raise UsageError(f"--days {args.days}: at least one")
    kind, turn = simulation.read_drift(args.drift, args.days)
    root = find_root(Path.cwd())
    bundle = load(root, args.target, parse_variables(args.var), getpass.getuser())
    wanted = simulation.Simulation(
        args.days, kind, turn, args.seed, args.customers, bundle.target,
        parameters=pairs(args.params, "--params"),
    )  # fmt: skip
    lakehouse = Path(args.lakehouse or root / ".lakehouse-simulation").absolute()
    if args.anew:
        simulation.forget(lakehouse)
    simulation.run_days(bundle, lakehouse, wanted)
    settings = settings_of(bundle)
    return _report(lakehouse, lakehouse / settings.catalog / settings.schema, wanted)


def _report(lakehouse: Path, folder: Path, wanted: simulation.Simulation) -> int:
    from nextbest.commands import simulation_report as told

    decided = (folder / "recommendations").is_dir()
    values = told.daily_values(folder, wanted) if decided else ()
    if not len(values):
        print(
            f"no version passed the gate in {wanted.days} days, so nothing was decided: `dbb runs "
            f"--lakehouse {lakehouse}` lists the trainings; more --customers give more evidence"
        )
        return 1
    champions = told.new_champions(folder, wanted)
    picture = lakehouse / "values.png"
    told.draw(values, wanted, champions).savefig(picture, dpi=130)
    values.to_csv(picture.with_suffix(".csv"), index_label="day")
    found = told.shares(values, wanted)
    print("\n".join(_table(found)))
    days = ", ".join(map(str, champions[:6])) + (" …" if len(champions) > 6 else "")
    print(f"new champions, by the first day they decided: {days or 'none'}")
    print(f"picture: {picture}")
    recovered, sentence = told.recovery(found, wanted)
    if sentence:
        print(sentence)
    return 0 if recovered else 1


def _table(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    lines = [f"{'share of the oracle gap':<26}{'ours':>8}{'control':>10}{'logging policy':>16}"]
    for name, share in found.items():
        cells = f"{share['ours']:>8.0%}{share['control']:>10.0%}{share['logging policy']:>16.0%}"
        lines.append(f"{name:<26}{cells}")
    return lines
