"""The system tables with the columns that Databricks documents, on an engine that stands in.

Sources: the jobs, billable usage and pricing system table references.
"""

from __future__ import annotations

import datetime as dt

from pyspark.errors import PySparkException

from workspace.routes import Refused

TIMELINE = """account_id STRING, workspace_id STRING, job_id STRING, run_id STRING, {more}
  period_start_time TIMESTAMP, period_end_time TIMESTAMP, compute_ids ARRAY<STRING>,
  result_state STRING, termination_code STRING"""
TABLES = {
    "lakeflow.jobs": """account_id STRING, workspace_id STRING, job_id STRING, name STRING,
      description STRING, creator_id STRING, tags MAP<STRING, STRING>, change_time TIMESTAMP,
      delete_time TIMESTAMP, run_as STRING""",
    "lakeflow.job_run_timeline": TIMELINE.format(
        more="trigger_type STRING, run_type STRING, run_name STRING,"
    ),
    "lakeflow.job_task_run_timeline": TIMELINE.format(
        more="job_run_id STRING, parent_run_id STRING, task_key STRING,"
    ),
    "billing.usage": """record_id STRING, account_id STRING, workspace_id STRING, sku_name STRING,
      cloud STRING, usage_start_time TIMESTAMP, usage_end_time TIMESTAMP, usage_date DATE,
      custom_tags MAP<STRING, STRING>, usage_unit STRING, usage_quantity DECIMAL(38, 18),
      usage_metadata STRUCT<cluster_id: STRING, job_id: STRING, job_run_id: STRING,
        job_name: STRING, endpoint_name: STRING>,
      record_type STRING, billing_origin_product STRING""",
    "billing.list_prices": """price_start_time TIMESTAMP, price_end_time TIMESTAMP,
      account_id STRING, sku_name STRING, cloud STRING, currency_code STRING, usage_unit STRING,
      pricing STRUCT<default: STRING, promotional: STRUCT<default: STRING>,
        effective_list: STRUCT<default: STRING>>""",
}
WORKSPACE, TAGS = "1", {"project": "nextbest", "stage": "prod"}
JOBS_SKU, SERVING_SKU = "PREMIUM_JOBS_COMPUTE", "PREMIUM_SERVERLESS_REAL_TIME_INFERENCE"


def load(spark, catalog, folder, rows):
    """Make the tables in a catalog of the engine; rows: table → [{column: value}]."""
    for name, columns in TABLES.items():
        schema, table = f"{catalog}.{name.partition('.')[0]}", f"{catalog}.{name}"
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema} LOCATION '{folder}/{schema}'")
        kept = spark.createDataFrame([], columns).schema
        given = [tuple(row.get(field.name) for field in kept) for row in rows.get(name, [])]
        frame = spark.createDataFrame(given, kept)
        frame.write.format("delta").mode("overwrite").saveAsTable(table)


def engine(spark, catalog):
    """What a recorded warehouse asks: `system` is the engine's catalog of that name."""

    def answer(statement, parameters):
        try:
            sql = statement.replace("system.", f"{catalog}.")
            frame = spark.sql(sql, args=parameters)
            return frame.columns, [list(row) for row in frame.collect()]
        except PySparkException as error:
            raise Refused(400, "BAD_REQUEST", str(error)) from error

    return answer


def job(job_id, name, changed, tags=TAGS, workspace=WORKSPACE):
    return {"workspace_id": workspace, "job_id": job_id, "name": name, "tags": tags,
            "change_time": changed}  # fmt: skip


def slices(start, seconds, state, **ids):
    """Rows of a timeline: an hour each at most, the result in the last one."""
    rows, end = [], start + dt.timedelta(seconds=seconds)
    while start < end or not rows:
        until = min(end, start.replace(minute=0, second=0) + dt.timedelta(hours=1))
        rows.append({"workspace_id": WORKSPACE, "period_start_time": start,
                     "period_end_time": until, **ids})  # fmt: skip
        start = until
    rows[-1]["result_state"] = state
    return rows


def usage(start, quantity, sku=JOBS_SKU, product="JOBS", tags=TAGS, kind="ORIGINAL", **metadata):
    known = ("cluster_id", "job_id", "job_run_id", "job_name", "endpoint_name")
    return {
        "workspace_id": WORKSPACE, "sku_name": sku, "cloud": "AWS", "usage_start_time": start,
        "usage_end_time": start + dt.timedelta(minutes=30), "usage_date": start.date(),
        "custom_tags": tags, "usage_unit": "DBU", "usage_quantity": quantity,
        "usage_metadata": tuple(metadata.get(name) for name in known), "record_type": kind,
        "billing_origin_product": product,
    }  # fmt: skip


def price(sku, amount, start, end=None, currency="USD", effective=None):
    return {
        "price_start_time": start, "price_end_time": end, "sku_name": sku, "cloud": "AWS",
        "currency_code": currency, "usage_unit": "DBU",
        "pricing": (amount, None, (effective or amount,)),
    }  # fmt: skip
