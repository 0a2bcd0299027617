# Databricks notebook source
# MAGIC %md
# MAGIC # 03 · Training
# MAGIC A calibrated reward model learns from matured decisions and is registered as the
# MAGIC `candidate`. The last days are held out.

# COMMAND ----------

from nextbest import lifecycle
from nextbest.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)

# COMMAND ----------

outcome = lifecycle.train_model(settings, spark)

# COMMAND ----------

for shown in outcome.shown:
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
