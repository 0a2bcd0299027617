"""`dbb evaluate-policy`: what a policy would have earned, from a log in a file or table."""

from __future__ import annotations

import argparse
import os
from difflib import get_close_matches
from pathlib import Path

from nextbest.commands.log_file import open_source
from nextbest.commands.policy_report import Report, as_json, print_table, refusal
from nextbest.commands.progress import progress
from nextbest.errors import DataError, UsageError
from nextbest.evaluation.ope.choice import grid
from nextbest.evaluation.ope.diagnostics import evidence
from nextbest.evaluation.ope.log import LogColumns, Target
from nextbest.evaluation.ope.moments import merged
from nextbest.evaluation.ope.reading import read_log
from nextbest.evaluation.ope.segments import evaluate_segments
from nextbest.evaluation.ope.source import Source
from nextbest.evaluation.ope.terms import SHRINKAGES
from nextbest.evaluation.ope.value import evaluate
from nextbest.platforms.local.environment import chosen_lakehouse

POLICY = "target"
KEY = "decision_id"
MIN_ESS = 500  # decisions: the least effective sample that a value is told from
_DEFAULTS = {
    "reward": "reward",
    "propensity": "propensity",
    "target": POLICY,
    "q_logged": "q_logged",
    "q_target": "q_target",
}
_MODEL = ("q_logged", "q_target")  # used when both are there, though nobody names them


def evaluate_policy(args: argparse.Namespace) -> int:
    """Evaluate the policy in a log; `args` as commands.declared defines them for `evaluate-policy`.

    Returns 0 for go, 1 for evidence that is too thin or unsound. Raises UsageError (exit code 2)
    with everything that is wrong with the log or the columns named.
    """
    if not 0 < args.confidence < 1:
        raise UsageError(f"--confidence is {args.confidence}; give a number between 0 and 1")
    lakehouse = chosen_lakehouse(args.lakehouse, Path()) if args.local else None
    try:
        source = open_source(args.log, lakehouse)
        names = _columns(args, source)
        picture = _picture(args, source)
        with progress() as seen:
            parts = read_log(source, names, (*SHRINKAGES, *grid()), segment=args.segment, seen=seen)
    except DataError as error:
        raise UsageError(str(error)) from error
    moments = merged(list(parts.values()))
    try:
        value = evaluate(moments, POLICY, confidence=args.confidence)
    except DataError as refused:  # no evidence at all, which a program must be able to read
        if args.format == "json":
            print(refusal(str(source.path), str(refused)))
        raise
    segments = ()
    if args.segment is not None:
        segments = evaluate_segments(parts, POLICY, min_ess=MIN_ESS, confidence=args.confidence)
    from nextbest.evaluation.plots import weight_figure

    weight_figure(moments, POLICY).savefig(picture, dpi=120)
    report = Report(
        log=str(source.path),
        confidence=args.confidence,
        value=value,
        reasons=evidence(value.diagnostics, MIN_ESS),
        segment=args.segment,
        segments=segments,
        picture=str(picture),
    )
    if args.format == "json":
        print(as_json(report))
    else:
        print_table(report)
    return 1 if report.reasons else 0


def _columns(args: argparse.Namespace, source: Source) -> LogColumns:
    """Which column holds what; raises UsageError with near matches of every one that is missing."""
    given = {name: getattr(args, name) for name in _DEFAULTS}
    model = any(given[name] is not None or name in source.columns for name in _MODEL)
    names = {
        name: column or _DEFAULTS[name]
        for name, column in given.items()
        if name not in _MODEL or model
    }
    wanted = {f"--{name.replace('_', '-')}": column for name, column in names.items()}
    if args.segment is not None:
        wanted["--segment"] = args.segment
    problems = []
    for flag, column in wanted.items():
        if column not in source.columns:
            near = get_close_matches(column, source.columns, n=3)
            hint = f" (is it {' or '.join(near)}?)" if near else ""
            problems.append(f"no column '{column}' for {flag}{hint}")
    if problems:
        told = ", ".join(source.columns)
        raise UsageError(f"{source.path}: {'; '.join(problems)}; there are {told}")
    target = Target(names["target"], names.get("q_target"))
    key = KEY if KEY in source.columns else None
    return LogColumns(
        {POLICY: target}, names["reward"], names["propensity"], names.get("q_logged"), key
    )


def _picture(args: argparse.Namespace, source: Source) -> Path:
    """Where the picture goes: beside the log, unless told; raises UsageError if it can't."""
    path = source.path.absolute()
    picture = Path(args.picture) if args.picture else path.with_name(f"{path.name}.weights.png")
    if picture.suffix.lower() != ".png":
        raise UsageError(f"--picture {picture}: give a name that ends in .png")
    if not os.access(picture.parent, os.W_OK):
        raise UsageError(f"{picture.parent} can't be written to; give --picture another place")
    return picture
