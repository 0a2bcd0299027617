"""Every subcommand of `dbb`: its words, its flags, and the function that does it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from nextbest.commands.flags import (
    acknowledge,
    alerts,
    approve,
    as_json,
    compare_models,
    history,
    lakehouse,
    place,
    promote_model,
    target,
    trends,
)

ON_DATABRICKS = ("summary",)  # handed over to the Databricks CLI


class Command(NamedTuple):
    """One subcommand: its words, what it is for, its flags, and the function that does it."""

    words: tuple[str, ...]
    purpose: str
    flags: Callable[[argparse.ArgumentParser], None]
    function: str  # module:name, called with the parsed arguments; its value is the exit code


def _validate(parser: argparse.ArgumentParser) -> None:
    target(parser)
    parser.add_argument("--strict", action="store_true", help="warnings fail too (exit code 1)")
    parser.add_argument("--fix", action="store_true", help="mend the files where they say how")
    parser.add_argument("--yes", action="store_true", help="with --fix: write without asking")
    parser.add_argument(
        "--verbose", action="store_true", help="tell what each check looked at, and why each fix"
    )
    as_json(parser)


def _targets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--var", action="append", default=[], metavar="K=V", help="value of a bundle variable"
    )
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    as_json(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    target(parser)
    as_json(parser)


def _costs(parser: argparse.ArgumentParser) -> None:
    target(parser)
    parser.add_argument("--days", type=int, default=30, metavar="N", help="back from now (30)")
    parser.add_argument("--local", action="store_true", help="of the runs made on this machine")
    parser.add_argument(
        "--warehouse", metavar="ID", help="SQL warehouse to ask (DATABRICKS_WAREHOUSE_ID)"
    )
    parser.add_argument("--currency", default="USD", help="of the list prices (USD)")
    parser.add_argument("--page", metavar="FILE.html", help="write it as a page, with plots")
    place(parser)


def _deploy(parser: argparse.ArgumentParser) -> None:
    target(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and stop")
    _unasked(parser)


def _destroy(parser: argparse.ArgumentParser) -> None:
    target(parser)
    parser.add_argument(
        "--data", action="store_true", help="delete schema, tables, files, models and runs, too"
    )
    _unasked(parser)


def _unasked(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--auto-approve", action="store_true", help="go on without asking")
    parser.add_argument(
        "--force-lock", action="store_true", help="after a deploy that was killed: take its lock"
    )


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="resource key of a job")
    target(parser)
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
    place(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="ID", help="a run's id, or how it begins")
    place(parser)


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint", help="name of the endpoint, when several are deployed")
    parser.add_argument("--port", type=int, default=8080)
    lakehouse(parser)


def _mlflow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=5000)
    lakehouse(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("decision_id", metavar="DECISION_ID", help="of a logged decision")
    target(parser)
    parser.add_argument("--local", action="store_true", help="read the lakehouse of this machine")
    place(parser)


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
    lakehouse(parser)


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
    place(parser)


def _simulate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=int, default=60, metavar="N")
    parser.add_argument(
        "--drift", default="both@30", metavar="KIND@DAY",
        help="none, or covariate, concept or both from that day on (both@30)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--customers", type=int, default=6000, metavar="N")
    parser.add_argument("--anew", action="store_true", help="forget the days that are there")
    target(parser)
    parser.add_argument(
        "--params", action="append", default=[], metavar="K=V,…", help="job parameters"
    )
    parser.add_argument(
        "--lakehouse", metavar="FOLDER", help="of the simulation (.lakehouse-simulation)"
    )


def _handed_over(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="as of `databricks bundle`")


COMMANDS = (
    Command(("validate",), "check the bundle", _validate, "nextbest.commands.validate:validate"),
    Command(
        ("targets",),
        "what each job touches in each target; do two share any?",
        _targets,
        "nextbest.commands.targets:targets",
    ),
    Command(
        ("doctor",),
        "is the workspace ready for a target?",
        _doctor,
        "nextbest.commands.doctor:doctor",
    ),
    Command(
        ("deploy",),
        "bring a target to what the bundle says",
        _deploy,
        "nextbest.commands.deploy:deploy",
    ),
    Command(
        ("destroy",),
        "take a target down; its data only with --data",
        _destroy,
        "nextbest.commands.destroy:destroy",
    ),
    Command(("run",), "run a job", _run, "nextbest.commands.run:run"),
    Command(("runs",), "list the runs made here", place, "nextbest.runner.command:runs"),
    Command(("runs", "show"), "show one run", _show, "nextbest.runner.command:show"),
    Command(("costs",), "what past runs took and cost", _costs, "nextbest.commands.costs:costs"),
    Command(
        ("alerts",), "what was found, and who was told", alerts, "nextbest.commands.alerts:alerts"
    ),
    Command(("alerts", "ack"), "acknowledge an alert", acknowledge, "nextbest.commands.alerts:ack"),
    Command(
        ("trends",),
        "how a model's versions compare over time",
        trends,
        "nextbest.commands.trends:trends",
    ),
    Command(
        ("promote-model",),
        "move a version to an alias, on evidence; or back",
        promote_model,
        "nextbest.commands.promote:promote_model",
    ),
    Command(
        ("approve",),
        "let a judged version be released by deployment_job",
        approve,
        "nextbest.commands.approve:approve",
    ),
    Command(
        ("history",),
        "who was champion when, and why",
        history,
        "nextbest.commands.history:history",
    ),
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
        ("compare-models",),
        "is one model version better than another?",
        compare_models,
        "nextbest.commands.compare:compare_models",
    ),
    Command(
        ("inspect-log",),
        "propose a mapping for a log of your own",
        _inspect_log,
        "nextbest.commands.inspect_log:inspect_log",
    ),
    Command(
        ("simulate",),
        "the jobs day by day, here, in a world that drifts",
        _simulate,
        "nextbest.commands.simulate:simulate",
    ),
    *(Command((name,), f"databricks bundle {name}", _handed_over, "") for name in ON_DATABRICKS),
)
