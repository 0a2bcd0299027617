"""Flags that several subcommands have, and those of releases."""

from __future__ import annotations

import argparse


def target(parser: argparse.ArgumentParser) -> None:
    """Which target, with which variables."""
    parser.add_argument("-t", "--target", help="bundle target; without it, the default one")
    parser.add_argument(
        "--var", action="append", default=[], metavar="K=V", help="value of a bundle variable"
    )


def as_json(parser: argparse.ArgumentParser) -> None:
    """JSON instead of words."""
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def lakehouse(parser: argparse.ArgumentParser) -> None:
    """Where the tables of this machine are."""
    parser.add_argument("--lakehouse", metavar="FOLDER", help="tables and runs (.lakehouse)")


def place(parser: argparse.ArgumentParser) -> None:
    """Of what reads a lakehouse, and prints."""
    lakehouse(parser)
    as_json(parser)


def promote_model(parser: argparse.ArgumentParser) -> None:
    """Of `dbb promote-model`."""
    _model(parser)
    parser.add_argument("--from", dest="from_alias", metavar="ALIAS", help="the one before --to")
    parser.add_argument("--to", dest="to_alias", metavar="ALIAS", default="champion",
                        help="staging or champion (champion)")  # fmt: skip
    parser.add_argument("--version", metavar="N", help="this one, whatever alias it has")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done, and stop")
    parser.add_argument("--force", action="store_true", help="without evidence; needs --reason")
    parser.add_argument("--reason", metavar="TEXT", help="why; it stays on the ledger")
    parser.add_argument(
        "--rollback", action="store_true", help="make the champion of before the champion again"
    )
    _releasing(parser)


def approve(parser: argparse.ArgumentParser) -> None:
    """Of `dbb approve`."""
    _model(parser)
    parser.add_argument("version", metavar="VERSION", help="number of the version")
    _releasing(parser)


def history(parser: argparse.ArgumentParser) -> None:
    """Of `dbb history`."""
    _model(parser)
    parser.add_argument("--page", metavar="FILE.html", help="write it as a page, with the timeline")
    parser.add_argument("--picture", metavar="FILE.svg", help="draw the timeline")
    _releasing(parser)


def _model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="CATALOG.SCHEMA.MODEL", help="a registered model")


def _releasing(parser: argparse.ArgumentParser) -> None:
    target(parser)
    parser.add_argument("--local", action="store_true", help="in the lakehouse of this machine")
    parser.add_argument(
        "--warehouse", metavar="ID", help="SQL warehouse for the ledger (DATABRICKS_WAREHOUSE_ID)"
    )
    place(parser)
