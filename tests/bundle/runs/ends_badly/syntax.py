# Databricks notebook source
dbutils.notebook.run("./parts/syntax")
