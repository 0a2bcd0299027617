# Databricks notebook source
import os
import subprocess
import time

line = "(setsid sleep 600 >/dev/null 2>&1 & echo $!)"
daemon = int(subprocess.run(line, shell=True, capture_output=True, check=True).stdout)
dbutils.fs.put("/Volumes/c/s/v/up", "x", True)
until = time.monotonic() + 30
while "ended" not in [entry.name for entry in dbutils.fs.ls("/Volumes/c/s/v")]:
    assert time.monotonic() < until
    time.sleep(0.02)
time.sleep(0.5)
os.kill(daemon, 0)
