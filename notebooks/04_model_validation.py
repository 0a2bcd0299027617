# Databricks notebook source
# MAGIC %md
# MAGIC # 04 · Validation
# MAGIC What would the candidate's policy have been worth on the held-out decisions? Off-policy
# MAGIC estimates with intervals, against the logging policy and the champion. The gate fails
# MAGIC closed; only on evidence does an alias move.

# COMMAND ----------

from nextbest import lifecycle
from nextbest.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)

# COMMAND ----------

outcome = lifecycle.validate_model(settings, spark)

# COMMAND ----------

for shown in outcome.shown:
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
