"""`dbb`: the bundle on the command line. Subcommands are imported when they are called."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nextbest.commands.declared import COMMANDS, ON_DATABRICKS
from nextbest.errors import NextBestError


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
        if words and words[0] in ON_DATABRICKS:
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

    from nextbest.commands.bundle_program import NO_PROGRAM

    program = shutil.which("databricks")
    if program is None:
        print(f"dbb: {NO_PROGRAM}", file=sys.stderr)
        return 127
    return subprocess.run([program, "bundle", *words]).returncode


if __name__ == "__main__":
    sys.exit(main())
