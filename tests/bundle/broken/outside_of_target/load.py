# Databricks notebook source
for name in ("catalog", "model_name", "files"):
    pass
dbutils.widgets.get("catalog")
dbutils.widgets.get("model_name")
dbutils.widgets.get("files")
