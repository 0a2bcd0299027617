# Databricks notebook source
# MAGIC %run ./parts/setup

# COMMAND ----------

# MAGIC %run "./parts/setup"

# COMMAND ----------

import os
import neighbour

assert times == 2, times
assert os.path.basename(os.getcwd()) == "notebooks"
dbutils.notebook.exit(double(21) + neighbour.ZERO)
