# Databricks notebook source
from house.settings import Settings

settings = Settings.from_widgets(dbutils.widgets)
