# Databricks notebook source
print("before")

# COMMAND ----------

import time

time.sleep(600)
