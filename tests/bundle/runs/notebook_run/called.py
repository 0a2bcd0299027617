# Databricks notebook source
assert "secret_of_mine" not in globals()
dbutils.notebook.exit(int(dbutils.widgets.get("x")) + 1)
