# Databricks notebook source
# MAGIC %md
# MAGIC # 07 · Drift
# MAGIC Has anything moved so far that the champion should be trained anew? The task value `drift`
# MAGIC decides what the job does next.

# COMMAND ----------

from nextbest import lifecycle
from nextbest.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)

# COMMAND ----------

outcome = lifecycle.detect_drift(settings, spark)

# COMMAND ----------

for shown in outcome.shown:
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
