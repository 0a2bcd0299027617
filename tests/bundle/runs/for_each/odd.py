# Databricks notebook source
value = int(dbutils.widgets.get("value"))
assert value != 2, f"{value} is not odd"
dbutils.notebook.exit(value)
