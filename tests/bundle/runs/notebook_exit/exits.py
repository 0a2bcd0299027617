# Databricks notebook source
dbutils.notebook.exit({"a": 1})

# COMMAND ----------

raise ValueError("never reached")
