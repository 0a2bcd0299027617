# Databricks notebook source
dbutils.jobs.taskValues.set("big", "x" * (48 * 1024 - 1))
