# Databricks notebook source
dbutils.notebook.exit(dbutils.widgets.get("region"))
