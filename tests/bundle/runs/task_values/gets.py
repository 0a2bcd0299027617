# Databricks notebook source
values = dbutils.jobs.taskValues
assert values.get("sets", "number") == 2
assert values.get(taskKey="sets", key="nested", debugValue=0) == {"a": [1, None, True]}
assert values.get("sets", "nothing", default="d") == "d"
assert values.get("nobody", "nothing", default=0) == 0
