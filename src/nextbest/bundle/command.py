"""`dbb validate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from nextbest.bundle.include import find_root
from nextbest.bundle.read import diagnose
from nextbest.bundle.report import as_json, as_text, summary_line
from nextbest.errors import UsageError


def validate(args: argparse.Namespace) -> int:
    """Report everything about the bundle around the working directory.

    Reads `target`, `var` (a list of "name=value"), `strict` and `json` of `args`. Returns the exit
    code: 0 clean (but for notes), 1 warnings under `strict`, 2 errors. Raises BundleError where
    there is no bundle and UsageError for a malformed `--var`.
    """
    root = find_root(Path.cwd())
    bundle, found = diagnose(root, args.target, parse_variables(args.var or ()), None)
    target = bundle.target if bundle is not None else args.target or "default target"
    if args.json:
        print(as_json(target, bundle, found))
    else:
        if found:
            print(as_text(found, color=sys.stdout.isatty()), end="\n\n")
        print(summary_line(target, bundle, found))
    if any(item.severity == "error" for item in found):
        return 2
    warned = any(item.severity == "warning" for item in found)
    return 1 if warned and args.strict else 0


def parse_variables(given: Iterable[str]) -> dict[str, str]:
    """`["name=value"]` as a mapping.

    Raises UsageError that lists everything that has not this form, or names a variable twice.
    """
    variables: dict[str, str] = {}
    problems = []
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            problems.append(f"'{text}' is not of the form name=value")
        elif name in variables:
            problems.append(f"'{name}' is given twice")
        variables[name] = value
    if problems:
        raise UsageError("--var: " + "; ".join(problems))
    return variables
