# Databricks notebook source
dbutils.fs.ls("/Volumes/c/s/v/../../../x")
