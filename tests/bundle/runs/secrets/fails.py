# Databricks notebook source
raise ValueError("bad " + dbutils.secrets.get("my-scope", "key"))
