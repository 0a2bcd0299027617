# Databricks notebook source
dbutils.widgets.get("catalog")
dbutils.widgets.get("day")
