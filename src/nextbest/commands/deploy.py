"""`dbb deploy`: checked, shown, deployed by the Databricks CLI, completed and verified."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nextbest.bundle import Bundle, diagnose, find_root, load
from nextbest.bundle.flags import parse_variables
from nextbest.bundle.report import as_text, summary_line
from nextbest.commands.asking_back import agreed
from nextbest.commands.bundle_program import MEND, Change, find_program
from nextbest.commands.deployment import STATELESS, Deployment
from nextbest.errors import RunError

STEPS = ("validate", "plan", "deploy", "complete", "verify")
LOOKS, PAUSE_SECONDS = 3, 2.0  # what was just made may not be seen at once


def deploy(args: argparse.Namespace) -> int:
    """Bring a target to what the bundle says; whatever was done before is not done again.

    Returns 0 when all is as it should be, 1 when something was refused or differs, else what the
    Databricks CLI ended with. Raises BundleError, PlatformError and RunError.
    """
    root, variables = find_root(Path.cwd()), parse_variables(args.var)
    if not _valid(root, args.target, variables):
        return 1
    deployment = open_deployment(root, args.target, variables)
    bundle = deployment.bundle
    program = find_program(root, bundle.target, args.var, args.force_lock)

    _tell("plan", "`databricks bundle plan` builds the wheel, and compares")
    changes = program.plan()
    check_wheels(bundle)
    adopted = _strays(deployment, changes)
    _show(changes, adopted, deployment)
    refuse_losses(changes)
    if args.dry_run:
        print("nothing was changed (--dry-run)")
        return 0
    doubtful = bool(adopted) or any(change.loses for change in changes)
    if doubtful and not args.auto_approve and not agreed(f"deploy to {bundle.target}?"):
        print("nothing was changed")
        return 1

    _tell("deploy", "`databricks bundle deploy`")
    for key, number in adopted:
        program.bind(key, number)
    if adopted:  # only now is it compared with what the bundle says of it
        refuse_losses(program.plan())
    code = program.deploy(args.auto_approve or doubtful)
    if code:
        print(f"`databricks bundle deploy` ended with {code}: {MEND}")
        return code

    for pending in deployment.pending():
        _tell("complete", pending.told)
        pending.do()
    return _verify(deployment)


def open_deployment(
    root: Path, target: str | None, variables: dict[str, str]
) -> Deployment:  # fmt: skip
    """The target in its workspace, as whoever asks would deploy it."""
    from nextbest.platforms.databricks.asking import ask, connect

    place = load(root, target, variables).config.get("workspace") or {}
    workspace = connect(place.get("host"), place.get("profile"))
    me = ask(workspace.current_user.me, "who asks", "a valid token").user_name
    # Names in development mode tell whose they are.
    bundle = load(root, target, variables, me)
    print(f"target {bundle.target} at {workspace.config.host}, as {me}")
    return Deployment(bundle, workspace)


def check_wheels(bundle: Bundle) -> None:
    """See that each pattern of wheels (dist/*.whl) that a job names stands for exactly one file.

    Raises RunError that lists the others: of two versions both would be installed.
    """
    problems = []
    patterns = {text for job in bundle.jobs.values() for text in _wheels(job.config)}
    for pattern in sorted(patterns):
        found = sorted(bundle.root.glob(pattern.removeprefix("./")))
        if not found:
            problems.append(f"the build left no {pattern}: see artifacts in databricks.yml")
        elif len(found) > 1:
            names = ", ".join(each.name for each in found)
            problems.append(f"{pattern} is {len(found)} files ({names}): delete the older ones")
    if problems:
        raise RunError("; ".join(problems))


def refuse_losses(changes: Sequence[Change]) -> None:
    """Raise RunError where deploying would delete data: that is never a deploy's work."""
    lost = [change for change in changes if change.loses and change.group not in STATELESS]
    if lost:
        told = "\n".join(f"  {change}" for change in lost)
        raise RunError(
            f"this would delete data, so nothing was deployed:\n{told}\n"
            "restore what the YAML said of it; or, to keep the old data apart, "
            "run `databricks bundle deployment unbind KEY` while the YAML still has it; or, if it "
            "may be lost, `dbb destroy --data` with the YAML as it was"
        )


def _valid(root: Path, target: str | None, variables: dict[str, str]) -> bool:
    bundle, found = diagnose(root, target, variables)
    if found:
        print(as_text(found))
    _tell("validate", summary_line(bundle.target if bundle else target or "", bundle, found))
    # A note with an edit is about how the files are written; any other, about what is lacking.
    return all(item.severity == "note" and item.edit is not None for item in found)


def _wheels(config: Any) -> set[str]:
    """Every local pattern of wheels in a job's configuration."""
    if isinstance(config, str):
        return {config} if config.endswith(".whl") and not config.startswith("/") else set()
    below = config.values() if hasattr(config, "values") else config
    nested = below if isinstance(config, list | tuple) or hasattr(config, "values") else ()
    return {found for each in nested for found in _wheels(each)}


def _strays(deployment: Deployment, changes: Sequence[Change]) -> list[tuple[str, str]]:
    """(key, id) of what is there, though the deployment does not know of it."""
    new = {(each.group, each.key) for each in changes if each.action == "create" and not each.part}
    return [
        (each.key, found[0])
        for each in deployment.resources
        if (each.group, each.key) in new and (found := deployment.strays(each))
    ]


def _show(
    changes: Sequence[Change], adopted: Sequence[tuple[str, str]], deployment: Deployment
) -> None:
    taken = dict(adopted)
    for change in changes:
        if change.action != "skip" and not (change.key in taken and not change.part):
            print(f"    {change}")
    for key, number in adopted:
        print(f"    adopt    {key}: {number} is there already, and will belong to this deployment")
    for pending in deployment.pending(planned=True):
        print(f"    then     {pending.told}")
    if not any(change.action != "skip" for change in changes):
        print("    no resource changes; notebooks and wheel are uploaded where they differ")


def _verify(deployment: Deployment) -> int:
    from nextbest.platforms.databricks.deployed import differences

    wanted = deployment.resources
    for look in range(LOOKS):
        if look:
            time.sleep(PAUSE_SECONDS)
        found = [each for item in wanted for each in differences(deployment.workspace, item)]
        found += [f"{each.told}: still to be done, deploy again" for each in deployment.pending()]
        if not found:
            break
    for each in found:
        print(f"    {each}")
    if deployment.others:
        print(f"    not looked at: {', '.join(deployment.others)}")
    told = f"{len(found)} differences" if found else "all as the bundle says"
    _tell("verify", f"{len(wanted)} resources looked at, {told}")
    return 1 if found else 0


def _tell(step: str, text: str) -> None:
    print(f"{STEPS.index(step) + 1}/{len(STEPS)} {step:<9}{text}", flush=True)
