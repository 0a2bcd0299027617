# Databricks notebook source
dbutils.secrets.get("my-scope", "other")
