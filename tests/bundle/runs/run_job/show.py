# Databricks notebook source
import json

dbutils.notebook.exit(json.dumps(dbutils.widgets.getAll(), sort_keys=True))
