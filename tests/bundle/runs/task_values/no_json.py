# Databricks notebook source
dbutils.jobs.taskValues.set("bad", object())
