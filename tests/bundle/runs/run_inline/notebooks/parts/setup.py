# Databricks notebook source
times = globals().get("times", 0) + 1


def double(x):
    return 2 * x

# COMMAND ----------

# MAGIC %run ../parts/deeper
