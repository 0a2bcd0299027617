# Databricks notebook source
# MAGIC %md
# MAGIC # 01 · Data
# MAGIC Rows come in: from the simulated world, whose clock moves with `as_of`, or from real logs.
# MAGIC Each row is held against its table's contract; a row that breaks it goes whole to
# MAGIC `quarantine`.

# COMMAND ----------

from nextbest import lifecycle
from nextbest.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)

# COMMAND ----------

outcome = lifecycle.generate_data(settings, spark)

# COMMAND ----------

for shown in outcome.shown:
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
