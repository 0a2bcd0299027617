# Databricks notebook source
# MAGIC %md
# MAGIC # 11 · Approval
# MAGIC The second task of `deployment_job`: it fails until somebody else than who had the version
# MAGIC judged has approved that verdict (`dbb approve MODEL VERSION`), and is then repaired.
# MAGIC
# MAGIC - **Reads** the tags of the version `model_version`.
# MAGIC - **Writes** nothing.
# MAGIC - **Needs** a verdict (notebook 10).
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

outcome = lifecycle.check_approval(settings, spark)
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
