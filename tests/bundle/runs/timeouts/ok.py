# Databricks notebook source
state = dbutils.widgets.getArgument("state", "none")
dbutils.notebook.exit(state)
