# Databricks notebook source
# MAGIC %run ./nowhere
