# Databricks notebook source
import os

print("first")

# COMMAND ----------

print("last words")
os._exit(7)
