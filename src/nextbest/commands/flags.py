"""Flags that several subcommands have, and those of models and alerts."""

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


def compare_models(parser: argparse.ArgumentParser) -> None:
    """Of `dbb compare-models`."""
    parser.add_argument("first", metavar="A", help="NAME@ALIAS, NAME:VERSION, @ALIAS or :VERSION")
    parser.add_argument("second", metavar="B", help="the version that would take A's place")
    parser.add_argument(
        "--metrics", metavar="LIST", help="by comma; the first one decides (value,auc,log_loss,…)"
    )
    parser.add_argument(
        "--datasets", default="holdout", metavar="LIST",
        help="holdout, newest, tables, paths of Parquet or Delta (holdout)",
    )  # fmt: skip
    parser.add_argument("--confidence", type=float, default=0.95, metavar="SHARE")
    parser.add_argument("--as-of", metavar="DATE", help="decisions before it (of B's training)")
    parser.add_argument("--format", choices=("table", "json", "detailed"), default="table")
    parser.add_argument("--export", metavar="PATH", help="a .json, .csv, .html or .md file")
    parser.add_argument("--visualization", action="store_true", help="write a page with plots")
    parser.add_argument("--recommendation", action="store_true", help="what to do, and why")
    target(parser)
    parser.add_argument("--local", action="store_true", help="in the lakehouse of this machine")
    lakehouse(parser)


def trends(parser: argparse.ArgumentParser) -> None:
    """Of `dbb trends`."""
    parser.add_argument(
        "model", metavar="MODEL", nargs="?", help="three-level name; without it, the target's own"
    )
    target(parser)
    parser.add_argument("--local", action="store_true", help="of the MLflow of this machine")
    parser.add_argument("--page", metavar="FILE.html", help="write it as a page, with plots")
    place(parser)


def alerts(parser: argparse.ArgumentParser) -> None:
    """Of `dbb alerts`."""
    _tables(parser)
    parser.add_argument(
        "--days", type=int, default=7, metavar="N", help="today and those before (7)"
    )
    parser.add_argument("--since", metavar="DAY", help="from this day on, in the place of --days")
    place(parser)


def acknowledge(parser: argparse.ArgumentParser) -> None:
    """Of `dbb alerts ack`."""
    parser.add_argument("alert_id", metavar="ID", help="an alert's id, or how it begins")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="what is done about it")
    _tables(parser)
    lakehouse(parser)


def _tables(parser: argparse.ArgumentParser) -> None:
    """Where the tables of a target are asked."""
    target(parser)
    parser.add_argument("--local", action="store_true", help="ask the lakehouse of this machine")
    parser.add_argument(
        "--warehouse", metavar="ID", help="SQL warehouse to ask (DATABRICKS_WAREHOUSE_ID)"
    )
