# Databricks notebook source
widgets = dbutils.widgets
widgets.text("passed", "ignored")
assert widgets.get("passed") == "value"
widgets.text("text", "t", "a label")
widgets.dropdown("dropdown", "1", ["1", "2"])
widgets.combobox("combobox", "any", ["x"])
widgets.multiselect("multi", "a", ["a", "b"])
expected = {"passed": "value", "text": "t", "dropdown": "1", "combobox": "any", "multi": "a"}
assert widgets.getAll() == expected, widgets.getAll()
widgets.text("text", "another default")
assert widgets.get("text") == "t"
assert widgets.getArgument("text") == "t"
assert widgets.getArgument("nobody", "else") == "else"
widgets.remove("text")
assert "text" not in widgets.getAll()
widgets.removeAll()
assert widgets.getAll() == {}
