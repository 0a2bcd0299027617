# Databricks notebook source
import sys

sys.exit(0)
