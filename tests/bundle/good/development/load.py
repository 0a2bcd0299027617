# Databricks notebook source
for name in ("model", "files"):
    dbutils.widgets.get(name)
