# Databricks notebook source
dbutils.widgets.get("seed")
