# Databricks notebook source
dbutils.jobs.taskValues.set("flag", True)
dbutils.jobs.taskValues.set("count", 3)
