# Databricks notebook source
import time
folder, me, other = (dbutils.widgets.get(name) for name in ("folder", "me", "other"))
dbutils.fs.put(f"{folder}/{me}", "here", True)
until = time.monotonic() + 60
while other not in [entry.name for entry in dbutils.fs.ls(folder)]:
    assert time.monotonic() < until, "the other task does not run beside this one"
    time.sleep(0.02)
