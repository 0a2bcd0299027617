# Databricks notebook source
dbutils.widgets.dropdown("size", "3", ["1", "2"])
