# Databricks notebook source
dbutils.jobs.taskValues.set("number", 1)
dbutils.jobs.taskValues.set(key="number", value=2)
dbutils.jobs.taskValues.set("nested", {"a": [1, None, True]})
dbutils.jobs.taskValues.set("brim", "x" * (48 * 1024 - 2))
