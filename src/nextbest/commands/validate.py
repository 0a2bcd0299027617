"""`dbb validate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nextbest.bundle.diagnostics import ordered
from nextbest.bundle.flags import parse_variables
from nextbest.bundle.include import find_root
from nextbest.bundle.read import diagnose
from nextbest.bundle.report import as_json, as_text, summary_line
from nextbest.commands.learning_checks import check_learning
from nextbest.errors import UsageError


def validate(args: argparse.Namespace) -> int:
    """Report everything about the bundle around the working directory; with `fix`, mend it first.

    Reads `target`, `var` (a list of "name=value"), `strict`, `fix`, `yes`, `verbose` and `json` of
    `args`. Returns the exit code: 0 clean (but for notes), 1 warnings under `strict`, or fixes that
    were not wanted; 2 errors, or fixes that nobody could be asked about. Raises BundleError where
    there is no bundle and UsageError for a malformed `--var`, or for `yes` without `fix`.
    """
    if args.yes and not args.fix:
        raise UsageError("--yes goes with --fix: without it, validate writes nothing")
    root = find_root(Path.cwd())
    variables = parse_variables(args.var or ())
    if args.fix:
        from nextbest.commands.validate_fix import fix

        if code := fix(root, args.target, variables, args):
            return code
    bundle, found = diagnose(root, args.target, variables, None)
    learning = check_learning(root, bundle) if bundle is not None else []
    found = ordered([*found, *[item for check in learning for item in check.found]])
    target = bundle.target if bundle is not None else args.target or "default target"
    if args.json:
        print(as_json(target, bundle, found))
    else:
        if args.verbose:
            from nextbest.commands.validate_verbose import looked_at

            print(looked_at(root, target, bundle, learning), end="\n\n")
        if found:
            print(as_text(found, color=sys.stdout.isatty()), end="\n\n")
        print(summary_line(target, bundle, found))
    if any(item.severity == "error" for item in found):
        return 2
    warned = any(item.severity == "warning" for item in found)
    return 1 if warned and args.strict else 0
