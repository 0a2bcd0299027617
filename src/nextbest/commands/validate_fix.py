"""`dbb validate --fix`: what would change is shown, then asked about, then written."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from nextbest.bundle.fix import Fixed, fixed, write
from nextbest.bundle.graph import Diagnostic

_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_DID = {
    "key": "{old} is now {new}",
    "value": "{old} is now {new}",
    "entry": "{old}: {new} was added",
    "above": "parameter {old} was added, {new}",
    "below": "parameter {old} was added, {new}",
    "order": "the order is now {after}",
}


def fix(
    root: Path, target: str | None, variables: Mapping[str, str], args: argparse.Namespace
) -> int:
    """Mend the files of a bundle; 0 when they were, or nothing was to mend.

    Reads `yes`, `verbose` and `json` of `args`. 1 when the answer was no, 2 when nobody could
    answer: then no file changed. What isn't the report of `json` goes to stderr.
    """
    console = Console(stderr=args.json, highlight=False, soft_wrap=True)
    found = fixed(root, target, variables)
    console.print(_diff(found), end="")
    for item in found.made:
        console.print(Text(_told(item, args.verbose)))
    for item, why in found.left.items():
        console.print(Text(f"left: {item.summary} ({item.location}): {why}"), style="yellow")
    if not found.after:
        console.print("nothing to mend")
        return 0
    files = ", ".join(found.after)
    if not args.yes:
        if not sys.stdin.isatty():
            told = f"dbb: nobody can answer here, so nothing was written to {files}: --yes writes"
            print(told, file=sys.stderr)
            return 2
        if input(f"write this to {files}? [y/N] ").strip().lower() not in ("y", "yes"):
            console.print("nothing was written")
            return 1
    write(root, found)
    console.print(f"{len(found.made)} mended in {files}\n")
    return 0


def _told(item: Diagnostic, verbose: bool) -> str:
    if item.edit is None:
        return item.summary
    edit = item.edit._replace(new=" ".join(item.edit.new.split()))
    did = _DID[edit.kind].format(**edit._asdict() | {"after": ", ".join(edit.after)})
    told = f"mended: {item.summary}: {did}"
    if verbose:
        told += f"\n  at  {item.location}  {item.path}\n  why {item.fix}"
    return told


def _diff(found: Fixed) -> Text:
    text = Text()
    for name, after in found.after.items():
        before = found.before[name].splitlines(keepends=True)
        lines = difflib.unified_diff(
            before, after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
        )
        for line in lines:
            style = "bold" if line[:3] in ("---", "+++") else _STYLES.get(line[0], "")
            text.append(line.rstrip("\r\n") + "\n", style)
    return text
