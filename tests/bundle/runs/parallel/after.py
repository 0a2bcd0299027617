# Databricks notebook source
folder = dbutils.widgets.get('folder')
dbutils.notebook.exit(','.join(e.name for e in dbutils.fs.ls(folder)))
