# Databricks notebook source
# MAGIC %md
# MAGIC # 05 · Decisions
# MAGIC The champion decides for every customer of the day, with exact propensities.

# COMMAND ----------

from nextbest import lifecycle
from nextbest.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)

# COMMAND ----------

outcome = lifecycle.decide_batch(settings, spark)

# COMMAND ----------

for shown in outcome.shown:
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
