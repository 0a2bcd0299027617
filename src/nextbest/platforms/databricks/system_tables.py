"""What a target's jobs took and cost, from the system tables of Unity Catalog.

Columns and joins as in Databricks' references of the jobs, billable usage and pricing system
tables: `lakeflow.jobs` has a row per change of a job; the timelines cut what runs into slices of
an hour at most and tell the result in the last one; corrections in `billing.usage` are rows of
their own, so that sums are right; a price holds from its start until its end, exclusive, and
`effective_list` is the list price with promotions. Not yet run against a workspace.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING

from nextbest.errors import PlatformError
from nextbest.platforms.databricks.asking import ask
from nextbest.platforms.databricks.statements import Row, rows_of
from nextbest.platforms.run_history import History, PastRun, PastTask, Usage

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

RIGHT = (
    "USE CATALOG on system, USE SCHEMA and SELECT on system.lakeflow and system.billing (who is "
    "account admin and metastore admin grants them)"
)
_NEITHER = frozenset({"SKIPPED"})  # of a job that was running already


def history(
    workspace: WorkspaceClient,
    warehouse: str,
    project: str,
    stage: str,
    since: dt.datetime,
    currency: str,
) -> History:
    """The runs of the jobs tagged with project and stage that began since (UTC), and all usage.

    Raises PlatformError as `rows_of` does.
    """
    here = ask(workspace.metastores.current, "the metastore", "workspace access").workspace_id
    if not here:
        raise PlatformError(
            "the workspace does not tell its id: it has no metastore, see dbb doctor"
        )
    parameters = {
        "workspace": str(here),
        "project": project,
        "stage": stage,
        "since": since.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    runs, tasks = (
        rows_of(workspace, warehouse, statement, parameters, RIGHT)
        for statement in (runs_sql(), tasks_sql())
    )
    usage = rows_of(workspace, warehouse, usage_sql(), {**parameters, "currency": currency}, RIGHT)
    return as_history(runs, tasks, usage, currency)


def as_history(runs: list[Row], tasks: list[Row], usage: list[Row], currency: str) -> History:
    """The rows of the three queries as values; PlatformError for a row that is not as expected."""
    of_run = defaultdict(list)
    try:
        for row in tasks:
            of_run[row["run_id"]].append(
                PastTask(row["task_key"], int(row["attempts"]), float(row["seconds"]))
            )
        return History(
            runs=tuple(_run(row, tuple(of_run[row["run_id"]])) for row in runs),
            usage=tuple(_usage(row) for row in usage),
            currency=currency,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlatformError(
            f"the system tables are not as their documentation says ({error!r}): see the columns "
            "in docs/guides/cost.md"
        ) from error


def _run(row: Row, tasks: tuple[PastTask, ...]) -> PastRun:
    state = row["state"] or ""
    return PastRun(
        run_id=row["run_id"],
        job=row["job"],
        start=dt.datetime.fromtimestamp(int(row["start_ms"]) / 1000, dt.UTC),
        seconds=float(row["seconds"]),
        state=state,
        passed=None if not state or state in _NEITHER else state == "SUCCEEDED",
        tasks=tasks,
    )


def _usage(row: Row) -> Usage:
    priced = row["cost"] is not None and not int(row["unpriced"])
    return Usage(
        day=dt.date.fromisoformat(row["day"]),
        product=row["product"] or "other",
        sku=row["sku"],
        job=row["job"],
        run_id=row["run_id"],
        cost=float(row["cost"]) if priced else None,
    )


def _job(catalog: str) -> str:
    """The target's jobs, deleted ones included, by what their last version is called."""
    return f"""
job AS (
  SELECT job_id, name FROM (
    SELECT job_id, name, tags,
      row_number() OVER (PARTITION BY job_id ORDER BY change_time DESC) AS version
    FROM {catalog}.lakeflow.jobs WHERE workspace_id = :workspace
  ) WHERE version = 1 AND tags['project'] = :project AND tags['stage'] = :stage
)"""


_SECONDS = "sum(unix_millis(t.period_end_time) - unix_millis(t.period_start_time)) / 1000e0"
# A run that began before is seen whole, and so known as one that began before.
_SLICES = """t.workspace_id = :workspace
  AND t.period_start_time >= CAST(:since AS TIMESTAMP) - INTERVAL 7 DAYS"""


def runs_sql(catalog: str = "system") -> str:
    """Columns: run_id, job, start_ms (epoch), seconds, state (null while it goes on)."""
    return f"""WITH {_job(catalog)}
SELECT * FROM (
  SELECT t.run_id AS run_id, job.name AS job,
    min(unix_millis(t.period_start_time)) AS start_ms, {_SECONDS} AS seconds,
    max_by(t.result_state, t.period_end_time) AS state
  FROM {catalog}.lakeflow.job_run_timeline t JOIN job ON t.job_id = job.job_id
  WHERE {_SLICES}
  GROUP BY t.run_id, job.name
) WHERE start_ms >= unix_millis(CAST(:since AS TIMESTAMP))
ORDER BY start_ms, run_id"""


def tasks_sql(catalog: str = "system") -> str:
    """Columns: run_id (of the job's run), task_key, attempts, seconds (of all attempts)."""
    return f"""WITH {_job(catalog)}
SELECT t.job_run_id AS run_id, t.task_key AS task_key,
  count(DISTINCT t.run_id) AS attempts, {_SECONDS} AS seconds
FROM {catalog}.lakeflow.job_task_run_timeline t JOIN job ON t.job_id = job.job_id
WHERE {_SLICES}
GROUP BY t.job_run_id, t.task_key
ORDER BY run_id, task_key"""


def usage_sql(catalog: str = "system") -> str:
    """Columns: day, product, sku, job and run_id (null where it was none's), cost, unpriced.

    cost: at list prices of :currency, null without one; unpriced: records without a price.
    """
    return f"""WITH {_job(catalog)},
price AS (
  SELECT sku_name, cloud, usage_unit, price_start_time, price_end_time,
    CAST(pricing.effective_list.default AS DECIMAL(38, 18)) AS amount
  FROM {catalog}.billing.list_prices WHERE currency_code = :currency
)
SELECT CAST(u.usage_date AS STRING) AS day, u.billing_origin_product AS product,
  u.sku_name AS sku, job.name AS job,
  CASE WHEN job.job_id IS NOT NULL THEN u.usage_metadata.job_run_id END AS run_id,
  CAST(sum(u.usage_quantity * price.amount) AS DOUBLE) AS cost,
  sum(CASE WHEN price.amount IS NULL THEN 1 ELSE 0 END) AS unpriced
FROM {catalog}.billing.usage u
LEFT JOIN job ON u.usage_metadata.job_id = job.job_id
LEFT JOIN price ON u.sku_name = price.sku_name AND u.cloud = price.cloud
  AND u.usage_unit = price.usage_unit AND u.usage_end_time >= price.price_start_time
  AND (price.price_end_time IS NULL OR u.usage_end_time < price.price_end_time)
WHERE u.workspace_id = :workspace
  AND u.usage_date >= CAST(CAST(:since AS TIMESTAMP) AS DATE)
  AND (job.job_id IS NOT NULL
    OR (u.custom_tags['project'] = :project AND u.custom_tags['stage'] = :stage))
GROUP BY u.usage_date, u.billing_origin_product, u.sku_name, job.name, job.job_id,
  u.usage_metadata.job_run_id
ORDER BY day, product, sku, job, run_id"""
