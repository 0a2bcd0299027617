"""`dbb history`: the ledger of a model as a table, a page and a timeline."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from nextbest.commands.releasing import open_place
from nextbest.errors import UsageError
from nextbest.platforms.releases import DONE, INTENDED, Step


def history(args: argparse.Namespace) -> int:
    """Show every change of an alias of args.model; args as commands.declared defines them.

    Returns 0. Raises UsageError for a file that can't be written.
    """
    place = open_place(args)
    steps = place.releases.ledger.steps(place.settings.model)
    if args.page or args.picture:
        from nextbest.commands.history_page import page, picture

        if args.page:
            _write("--page", args.page, page(place.settings.model, steps))
        if args.picture:
            _write("--picture", args.picture, picture(steps))
    if args.json:
        rows = [dataclasses.asdict(each) for each in steps]
        print(json.dumps(rows, indent=2, default=str))
        return 0
    _show(place.settings.model, changes(steps))
    for name in ("page", "picture"):
        if getattr(args, name):
            print(f"{name}: {getattr(args, name)}")
    return 0


def changes(steps: Sequence[Step]) -> list[Step]:
    """One row for each change, as it ended; as intended where it did not end yet."""
    last = {each.sequence: each for each in steps}
    return [last[sequence] for sequence in sorted(last)]


def _write(flag: str, file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{flag} {file} can't be written: {error.strerror}") from error


def _show(model: str, found: Sequence[Step]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    if not found:
        console.print(f"{model}: nothing was ever promoted, as far as the ledger knows")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("when (UTC)", "alias", "version", "what", "why", "judged"):
        table.add_column(name, overflow="fold", no_wrap=name not in ("what", "why"))
    for step in found:
        table.add_row(
            f"{step.promoted_at:%Y-%m-%d %H:%M:%S}", step.to_alias,
            f"{step.previous_version or 'none'} → {step.version or 'none'}",
            f"{what(step)} by {step.promoted_by}", step.reason,
            step.as_of.isoformat() if step.as_of else "",
        )  # fmt: skip
    console.print(table)


def what(step: Step) -> str:
    """The change in words: what it was, and whether it came about."""
    told = {DONE: "", INTENDED: ", not ended"}.get(step.state, ", given up")
    return f"{step.action}{told}"
