# Databricks notebook source
import json

json.loads("{")
