# Databricks notebook source
print(dbutils.widgets.get("day"), getArgument("size"))
