# Databricks notebook source
name = "item"
print(dbutils.widgets.get(name))
