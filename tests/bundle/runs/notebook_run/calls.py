# Databricks notebook source
secret_of_mine = 1
assert dbutils.notebook.run("./called", 60, {"x": 20}) == "21"
assert dbutils.notebook.run("called.py", 0, {"x": "1"}) == "2"
assert dbutils.notebook.run("silent", 60) == ""

# COMMAND ----------

for path, error in (("breaks", ValueError), ("hangs", TimeoutError), ("nowhere", Exception)):
    try:
        dbutils.notebook.run(path, 1)
    except error as caught:
        print(path, type(caught).__name__)
    else:
        raise AssertionError(path)
print("all went as told")
