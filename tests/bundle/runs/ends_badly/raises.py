# Databricks notebook source
# MAGIC %md
# MAGIC text

# COMMAND ----------

def inner():
    return 1 / 0


inner()
