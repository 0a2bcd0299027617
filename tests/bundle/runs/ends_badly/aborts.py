# Databricks notebook source
import os

os.abort()
