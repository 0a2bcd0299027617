# Databricks notebook source
# MAGIC %md
# MAGIC # 01 · Data
# MAGIC Rows come in: from the simulated world, whose clock moves with `as_of`, or from real logs.
# MAGIC Each row is held against its table's contract; a row that breaks it goes whole to
# MAGIC `quarantine`.
# MAGIC
# MAGIC - **Reads** the `source`; `decisions` so far, for the simulated world answers them.
# MAGIC - **Writes** `customers`, `actions`, `interactions`, `decisions`, `outcomes`, `quarantine`.
# MAGIC - **Needs** the schema and the volume of the target (a deploy makes them).
# MAGIC
# MAGIC By hand: choose a `target` above and run all. A widget that is left empty takes that
# MAGIC target's value from `databricks.yml`.

# COMMAND ----------

# MAGIC %pip install --quiet -r ../requirements.txt

# COMMAND ----------

import os
import sys

sys.path.append(os.path.abspath("../src"))  # by hand; the wheel of a job comes before it

# COMMAND ----------

from nextbest import by_hand
from nextbest.settings import Settings

dbutils.widgets.dropdown("target", "none", ["none", "dev"])  # for a run by hand
defaults = by_hand.values(dbutils.widgets.get("target"))
settings = Settings.from_widgets(dbutils.widgets, defaults)
print(settings)

# COMMAND ----------

from nextbest import lifecycle

outcome = lifecycle.generate_data(settings, spark)
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
