# Databricks notebook source
dbutils.widgets.text("seed", "7")
dbutils.widgets.text("asof", "")
print(dbutils.widgets.get("seed"), dbutils.widgets.get("asof"), dbutils.widgets.get("as_of"))
print(getArgument("day"))
