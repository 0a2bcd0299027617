# Databricks notebook source
import sys

print("the very first line")
line = "x" * 99 + "\n"
for _ in range(100):
    sys.stdout.write(line * 10_000)
print("the very last line")
