# Databricks notebook source
# MAGIC %md
# MAGIC # 07 · Drift
# MAGIC Have columns moved, do outcomes contradict the champion, is a guardrail broken? Why, what is
# MAGIC best done, and may a training start, by cool-down and cap? The task value `drift` decides
# MAGIC what the job does next.
# MAGIC
# MAGIC - **Reads** the metrics of notebook 06.
# MAGIC - **Writes** the tables `alerts` and `responses`, the day's report and the index in the
# MAGIC   volume's folder `monitoring`; the task values `drift` (a retraining starts) and `verdict`.
# MAGIC - **Needs** a champion (without one it does nothing), and notebook 06 for the same `as_of`.
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

dbutils.widgets.text("run", "none")  # by hand there is none
outcome = lifecycle.detect_drift(settings, spark, dbutils.widgets.get("run"))
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
