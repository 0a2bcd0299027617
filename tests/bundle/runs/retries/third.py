# Databricks notebook source
count = int(dbutils.widgets.get("count"))
assert count == 3, f"only attempt {count}"
