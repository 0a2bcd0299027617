# Databricks notebook source
print("fine")
