# Databricks notebook source
try:
    dbutils.jobs.taskValues.get("calls", "x")
except TypeError:
    pass
assert dbutils.jobs.taskValues.get("calls", "x", debugValue=5) == 5
dbutils.jobs.taskValues.set("no", "op")
