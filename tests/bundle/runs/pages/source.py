# Databricks notebook source
# MAGIC %md
# MAGIC # A title
# MAGIC
# MAGIC | a | b |
# MAGIC | - | - |
# MAGIC | 1 | *two* |
# MAGIC
# MAGIC <script>alert(1)</script>

# COMMAND ----------

# DBTITLE 1,What it shows
class Rich:
    def _repr_html_(self):
        return "<em>rich</em>"


print("a < b")
print("\x1b[31mcoloured\x1b[0m, 50 %\rcoloured, 100 %")
display(Rich())
displayHTML("<h2>markup</h2>")
Rich()

# COMMAND ----------

# MAGIC %sh
# MAGIC echo from-the-shell $((6 * 7))

# COMMAND ----------

None

# COMMAND ----------

{"last": "value"}
