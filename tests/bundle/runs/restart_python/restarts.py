# Databricks notebook source
# MAGIC %pip install pyyaml

# COMMAND ----------

import os

lost = os.getpid()
dbutils.widgets.text("kept", str(lost))
dbutils.jobs.taskValues.set("before", lost)
dbutils.library.restartPython()

# COMMAND ----------

import os

assert "lost" not in globals()
assert os.getpid() != int(dbutils.widgets.get("kept"))
dbutils.jobs.taskValues.set("after", os.getpid())
