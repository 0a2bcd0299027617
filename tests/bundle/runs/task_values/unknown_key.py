# Databricks notebook source
dbutils.jobs.taskValues.get("sets", "nothing")
