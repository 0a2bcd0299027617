"""`dbb targets`: what each job touches in each target, and whether two targets share any of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from nextbest.bundle import Bundle, diagnose, find_root
from nextbest.bundle.flags import parse_variables
from nextbest.bundle.include import read_all
from nextbest.bundle.report import as_text
from nextbest.commands.matrix import KINDS, Touch, shared, touches
from nextbest.errors import BundleError

YOU = "<you>"  # the name by which a workspace knows who asks is not known here


def targets(args: argparse.Namespace) -> int:
    """Print the matrix of jobs and targets; 1 when two targets share something.

    Reads `var`, `markdown` and `json` of `args`. Raises BundleError when a target has errors.
    """
    matrix = by_target(find_root(Path.cwd()), parse_variables(args.var or ()))
    found = shared(matrix)
    if args.json:
        told = {target: [each._asdict() for each in its] for target, its in matrix.items()}
        print(json.dumps({"targets": told, "shared": found}, indent=1, ensure_ascii=False))
    elif args.markdown:
        print(as_markdown(matrix))
    else:
        _print(matrix)
    for sentence in found:
        print(f"shared: {sentence}", file=sys.stderr)
    if not found and not (args.json or args.markdown):
        print(f"{', '.join(matrix)} share nothing")
    return 1 if found else 0


def by_target(root: Path, variables: Mapping[str, str]) -> dict[str, list[Touch]]:
    """What every target of the bundle touches; raises BundleError with all errors of all."""
    config = read_all(root, [])
    names = list(config.entries("targets")) if config is not None else []
    bundles: dict[str, Bundle] = {}
    errors = []
    for name in names or [None]:
        bundle, found = diagnose(root, name, variables, YOU)
        if bundle is None:
            errors += [each for each in found if each.severity == "error"]
        else:
            bundles[bundle.target] = bundle
    if errors:
        raise BundleError(as_text(dict.fromkeys(errors)))
    return {name: touches(bundle) for name, bundle in bundles.items()}


def as_markdown(matrix: Mapping[str, Sequence[Touch]]) -> str:
    """One table for each job: what it touches, and its name in each target."""
    parts = []
    for job, rows in _rows(matrix).items():
        head = ["", *matrix]
        lines = [f"### {job}", "", _line(head), _line(["---"] * len(head))]
        lines += [_line([what, *names]) for what, names in rows]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _print(matrix: Mapping[str, Sequence[Touch]]) -> None:
    width = max(map(len, matrix))
    for job, rows in _rows(matrix).items():
        print(job)
        for what, names in rows:
            print(f"  {what}")
            for target, name in zip(matrix, names, strict=True):
                print(f"    {target:<{width}}  {name}")
        print()


def _rows(matrix: Mapping[str, Sequence[Touch]]) -> dict[str, list[tuple[str, list[str]]]]:
    """By job: what is touched, and for each target by which name; "–" where it is not."""
    jobs: dict[str, dict[tuple[str, str], dict[str, str]]] = {}
    for target, its in matrix.items():
        for each in its:
            row = jobs.setdefault(each.job, {}).setdefault((each.kind, each.role), {})
            row[target] = each.name + (f" ({each.how})" if each.how else "")
    return {
        job: [
            (kind if role in (kind, job) else f"{kind} {role}", [row.get(t, "–") for t in matrix])
            for (kind, role), row in sorted(rows.items(), key=_rank)
        ]
        for job, rows in jobs.items()
    }


def _rank(row: tuple[tuple[str, str], object]) -> tuple[int, str]:
    (kind, role), _ = row
    return (KINDS.index(kind) if kind in KINDS else len(KINDS), role)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
