# Databricks notebook source
fs = dbutils.fs
home = "/Volumes/c/s/v/folder"
assert fs.mkdirs(home) and fs.put(f"{home}/a.txt", "hello")
try:
    fs.put(f"{home}/a.txt", "again")
except FileExistsError:
    fs.put(f"dbfs:{home}/a.txt", "again", True)
assert fs.head(f"{home}/a.txt") == "again" and fs.head(f"{home}/a.txt", 2) == "ag"
assert fs.cp(f"{home}/a.txt", f"{home}/sub/b.txt")
assert [(f.name, f.size, f.path) for f in fs.ls(home)] == [
    ("a.txt", 5, f"{home}/a.txt"),
    ("sub/", 0, f"{home}/sub/"),
]
assert fs.mv(f"{home}/sub", f"{home}/moved", True)
assert [f.name for f in fs.ls(home)] == ["a.txt", "moved/"]
try:
    fs.rm(home)
except IsADirectoryError:
    assert fs.rm(home, True)
assert not fs.rm(home, True)
