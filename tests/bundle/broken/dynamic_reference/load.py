# Databricks notebook source
for name in "abcdefg":
    dbutils.widgets.get(name)
