# Databricks notebook source
dbutils.jobs.taskValues.set("size", "huge")
