"""`dbb compare-models`: two versions on the same decisions, and what follows."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from nextbest.commands.compare_place import place_of
from nextbest.commands.progress import progress
from nextbest.errors import UsageError

SUFFIXES = (".json", ".csv", ".html", ".md")


def compare_models(args: argparse.Namespace) -> int:
    """Compare args.first with args.second; args as commands.declared has them.

    Returns 0, or 1 when a metric that was asked for by name, or every one, can't be computed.
    Raises UsageError for what there is not and for versions that can't be compared.
    """
    export = _checked(args)
    from nextbest.evaluation.comparison.measures import USUAL, known

    metrics = known(_list(args.metrics)) if args.metrics is not None else USUAL
    place = place_of(args)
    from nextbest.lifecycle.comparable import check_comparable
    from nextbest.registry.named import named

    first, second = (named(each, place.settings.model) for each in (args.first, args.second))
    if (first.model, first.version) == (second.model, second.version):
        raise UsageError(f"{args.first} and {args.second} are both {first.text}: name two versions")
    check_comparable(first, second)
    from nextbest.lifecycle.comparing import Asked, compare_models

    asked = Asked(metrics, _list(args.datasets), args.confidence, args.as_of)
    spark = place.open()
    with progress("decisions scored") as seen:
        found = compare_models(place.settings, spark, first, second, asked, seen)
    from nextbest.commands import compare_export, compare_text

    if args.format == "json":
        print(compare_export.as_json(found))
    else:
        print(compare_text.as_text(
            found, detailed=args.format == "detailed", advice=args.recommendation
        ))  # fmt: skip
    if args.visualization:
        page = Path(f"compare-{first.version}-{second.version}.html")
        export.append(page)
    for path in dict.fromkeys(export):
        compare_export.write(found, path)
        print(f"written: {path}", file=sys.stderr)
    told = any(part.compared for part in found.parts)
    asked_for = args.metrics is not None and any(part.failed for part in found.parts)
    return 0 if told and not asked_for else 1


def _checked(args: argparse.Namespace) -> list[Path]:
    """Where to export to; raises UsageError with everything that is wrong with the flags."""
    problems = []
    if not 0 < args.confidence < 1:
        problems.append(f"--confidence is {args.confidence}; give a number between 0 and 1")
    if not _list(args.datasets):
        problems.append("--datasets names none; leave it out for the rows held out")
    paths = [Path(args.export)] if args.export else []
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            told = ", ".join(SUFFIXES)
            problems.append(f"--export {path}: its suffix tells no format; there are {told}")
        elif not path.absolute().parent.is_dir():
            problems.append(f"--export {path}: there is no folder {path.parent}")
    if args.as_of is not None:
        try:
            args.as_of = dt.date.fromisoformat(args.as_of)
        except ValueError:
            problems.append(f"--as-of '{args.as_of}' is not a date like 2026-01-31")
    if problems:
        raise UsageError("; ".join(problems))
    return paths


def _list(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",") if each.strip())
