# Databricks notebook source
import datetime as dt
import json

dbutils.widgets.text("both", "declared")
dbutils.widgets.text("declared", "default of a widget")
seen = dbutils.widgets.getAll()
assert seen.pop("day") in {str(dt.datetime.now(dt.timezone.utc).date() - dt.timedelta(days=n)) for n in (0, 1)}
dbutils.notebook.exit(json.dumps(seen, sort_keys=True))
