# Databricks notebook source
dbutils.widgets.get("seed")
dbutils.widgets.get("rate")
