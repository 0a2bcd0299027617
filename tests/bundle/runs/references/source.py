# Databricks notebook source
for key, value in {"text": "t", "number": 1.5, "flag": False, "list": [1, "a"]}.items():
    dbutils.jobs.taskValues.set(key, value)
