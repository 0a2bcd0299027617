# Databricks notebook source
dbutils.jobs.taskValues.set("rows", [{"name": "x", "size": 1}, {"name": "y", "size": 2}])
dbutils.jobs.taskValues.set("rowz", {"a": 1})
