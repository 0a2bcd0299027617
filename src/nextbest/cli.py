"""`dbb`: the bundle on the command line. Subcommands are imported when they are called."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from nextbest.errors import NextBestError

_ON_DATABRICKS = ("deploy", "destroy", "summary")
_NO_PROGRAM = (
    "the 'databricks' program is not installed: get the Databricks CLI from "
    "https://docs.databricks.com/dev-tools/cli/install, or run here with `dbb run JOB --local`, "
    "which needs none"
)


class Command(NamedTuple):
    """One subcommand: its words, what it is for, its flags, and the function that does it."""

    words: tuple[str, ...]
    purpose: str
    flags: Callable[[argparse.ArgumentParser], None]
    function: str  # module:name, called with the parsed arguments; its value is the exit code


def _target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-t", "--target", help="bundle target; without it, the default one")
    parser.add_argument(
        "--var", action="append", default=[], metavar="K=V", help="value of a bundle variable"
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def _lakehouse(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lakehouse", metavar="FOLDER", help="tables and runs (.lakehouse)")


def _place(parser: argparse.ArgumentParser) -> None:
    _lakehouse(parser)
    _json(parser)


def _validate(parser: argparse.ArgumentParser) -> None:
    _target(parser)
    parser.add_argument("--strict", action="store_true", help="warnings fail too (exit code 1)")
    _json(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    _target(parser)
    _json(parser)


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="resource key of a job")
    _target(parser)
    parser.add_argument("--local", action="store_true", help="run here, not on Databricks")
    parser.add_argument(
        "--params", action="append", default=[], metavar="K=V,…", help="job parameters"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="on Databricks: start it, and don't wait for its end"
    )
    parser.add_argument("--only", metavar="TASK", help="run one task; others' values are reused")
    parser.add_argument(
        "--repair", metavar="RUN_ID", help="run again what did not end well, and what follows it"
    )
    _place(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="ID", help="a run's id, or how it begins")
    _place(parser)


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint", help="name of the endpoint, when several are deployed")
    parser.add_argument("--port", type=int, default=8080)
    _lakehouse(parser)


def _mlflow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=5000)
    _lakehouse(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("decision_id", metavar="DECISION_ID", help="of a logged decision")
    _target(parser)
    parser.add_argument("--local", action="store_true", help="read the lakehouse of this machine")
    _place(parser)


def _evaluate_policy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "log", metavar="LOG", help="CSV, Parquet, JSON lines, Delta folder or table"
    )
    parser.add_argument("--reward", metavar="COL", help="what the decision earned (reward)")
    parser.add_argument(
        "--propensity", metavar="COL", help="chance of the logged treatment (propensity)"
    )
    parser.add_argument(
        "--target", metavar="COL", help="its chance under the policy to evaluate (target)"
    )
    parser.add_argument("--q-logged", metavar="COL", help="model's value of it (q_logged)")
    parser.add_argument(
        "--q-target", metavar="COL", help="model's value of the policy's own choice (q_target)"
    )
    parser.add_argument("--segment", metavar="COL", help="also by the values of this column")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--confidence", type=float, default=0.95, metavar="SHARE")
    parser.add_argument("--picture", metavar="FILE.png", help="weights (LOG.weights.png)")
    parser.add_argument("--local", action="store_true", help="look for tables in the lakehouse")
    _lakehouse(parser)


def _inspect_log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "log", metavar="LOG", help="CSV, Parquet, JSON lines, Delta folder or table"
    )
    parser.add_argument(
        "--sample", type=int, default=20_000, metavar="N", help="rows to propose from (20,000)"
    )
    parser.add_argument(
        "--only-sample", action="store_true", help="don't try the mapping on the rest of the log"
    )
    parser.add_argument("--write", metavar="FILE.yml", help="write the mapping there")
    parser.add_argument("--mapping", metavar="FILE.yml", help="try this one, and propose none")
    parser.add_argument("--local", action="store_true", help="look for tables in the lakehouse")
    _place(parser)


def _handed_over(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="as of `databricks bundle`")


COMMANDS = (
    Command(("validate",), "check the bundle", _validate, "nextbest.bundle.command:validate"),
    Command(
        ("doctor",),
        "is the workspace ready for a target?",
        _doctor,
        "nextbest.commands.doctor:doctor",
    ),
    Command(("run",), "run a job", _run, "nextbest.commands.run:run"),
    Command(("runs",), "list the runs made here", _place, "nextbest.runner.command:runs"),
    Command(("runs", "show"), "show one run", _show, "nextbest.runner.command:show"),
    Command(("explain",), "explain a decision", _explain, "nextbest.commands.explain:explain"),
    Command(("serve",), "answer requests here", _serve, "nextbest.runner.servers:serve"),
    Command(("mlflow",), "open MLflow's pages", _mlflow, "nextbest.runner.servers:mlflow"),
    Command(
        ("evaluate-policy",),
        "what a policy would have earned",
        _evaluate_policy,
        "nextbest.commands.evaluate_policy:evaluate_policy",
    ),
    Command(
        ("inspect-log",),
        "propose a mapping for a log of your own",
        _inspect_log,
        "nextbest.commands.inspect_log:inspect_log",
    ),
    *(Command((name,), f"databricks bundle {name}", _handed_over, "") for name in _ON_DATABRICKS),
)


def parser(first: str = "") -> argparse.ArgumentParser:
    """The parser of all subcommands, or only of those that begin with the word `first`."""
    top = argparse.ArgumentParser(
        prog="dbb", description="Run and check the Databricks bundle of this folder, here."
    )
    # Given `prog`, argparse need not format a usage, which would take it 4 ms.
    groups = {(): top.add_subparsers(metavar="COMMAND", required=True, prog="dbb")}
    made: dict[tuple[str, ...], argparse.ArgumentParser] = {}
    known = any(command.words[0] == first for command in COMMANDS)
    for command in COMMANDS:
        above, name = command.words[:-1], command.words[-1]
        if known and command.words[0] != first:
            continue
        if above not in groups:
            prog = " ".join(["dbb", *above])
            groups[above] = made[above].add_subparsers(metavar="COMMAND", prog=prog)
        each = groups[above].add_parser(name, help=command.purpose, description=command.purpose)
        command.flags(each)
        each.set_defaults(function=command.function)
        made[command.words] = each
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `dbb`; returns its exit code: 0 well, 1 a run or check failed, 2 wrong input."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words and words[0] in _ON_DATABRICKS:
            return _hand_over(words)
        args = parser(*words[:1]).parse_args(words)
        module, _, name = args.function.partition(":")
        with _no_collection():
            function = getattr(importlib.import_module(module), name)
        return function(args)
    except NextBestError as error:
        from nextbest.runner import secrets

        hidden = secrets.known(os.environ, words)  # what was typed may stand in the message
        print(f"dbb: {secrets.redact(str(error), hidden)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has gone, as in `dbb runs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


@contextmanager
def _no_collection() -> Iterator[None]:
    """What is imported stays to the end: looking through it for garbage takes a tenth of it."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _hand_over(words: Sequence[str]) -> int:
    """Run `databricks bundle` with the same arguments."""
    import shutil
    import subprocess

    program = shutil.which("databricks")
    if program is None:
        print(f"dbb: {_NO_PROGRAM}", file=sys.stderr)
        return 127
    return subprocess.run([program, "bundle", *words]).returncode


if __name__ == "__main__":
    sys.exit(main())
