# Databricks notebook source
import time

dbutils.fs.mkdirs("/Volumes/c/s/v")
until = time.monotonic() + 30
while "up" not in [entry.name for entry in dbutils.fs.ls("/Volumes/c/s/v")]:
    assert time.monotonic() < until
    time.sleep(0.02)
dbutils.fs.put("/Volumes/c/s/v/ended", "x")
