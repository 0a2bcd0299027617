# Databricks notebook source
dbutils.jobs.taskValues.set("before", "kept")
raise ValueError("after")
