# Databricks notebook source
# MAGIC %md
# MAGIC # 08 · Serving
# MAGIC The champion answers single requests at an endpoint, exactly as the batch decided.

# COMMAND ----------

from nextbest import lifecycle
from nextbest.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)

# COMMAND ----------

outcome = lifecycle.serve_model(settings, spark)

# COMMAND ----------

for shown in outcome.shown:
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
