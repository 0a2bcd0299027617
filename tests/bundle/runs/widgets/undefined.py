# Databricks notebook source
name = "nob" + "ody"

# COMMAND ----------

dbutils.widgets.get(name)
