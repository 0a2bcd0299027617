# Databricks notebook source
raise ValueError("it broke")
