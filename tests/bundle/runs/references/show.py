# Databricks notebook source
for key, value in dbutils.widgets.getAll().items():
    dbutils.jobs.taskValues.set(key, value)
