# Databricks notebook source
import os
import sys

word = dbutils.secrets.get("my-scope", "key")
assert word == "s3cr<t&word", "the value itself is right"
assert dbutils.secrets.get(scope="my-scope", key="key") == word
assert [k.key for k in dbutils.secrets.list("my-scope")] == ["key"]
print("printed", word)
for letter in word:
    os.write(1, letter.encode())
displayHTML(f"<b>{word}</b>")
dbutils.jobs.taskValues.set("leak", [word])
dbutils.notebook.exit("it is " + word)
