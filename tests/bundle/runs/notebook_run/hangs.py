# Databricks notebook source
import time

time.sleep(60)
