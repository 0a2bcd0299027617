# Databricks notebook source
x = 1

# COMMAND ----------

x = = 2
