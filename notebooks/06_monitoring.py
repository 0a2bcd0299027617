# Databricks notebook source
# MAGIC %md
# MAGIC # 06 · Monitoring
# MAGIC The day's decisions are profiled and compared with the champion's training window.

# COMMAND ----------

from nextbest import lifecycle
from nextbest.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)

# COMMAND ----------

outcome = lifecycle.monitor(settings, spark)

# COMMAND ----------

for shown in outcome.shown:
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
