# Databricks notebook source
# MAGIC %run ./inner
