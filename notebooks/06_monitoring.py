# Databricks notebook source
# MAGIC %md
# MAGIC # 06 · Monitoring
# MAGIC The day's decisions are profiled and compared with the champion's training window; what came
# MAGIC of earlier ones is measured as outcomes mature, or come late.
# MAGIC
# MAGIC - **Reads** `recommendations`, `training_baseline`, `outcomes`, `actions`.
# MAGIC - **Writes** the profile and drift metrics of `recommendations`, by data profiling, and
# MAGIC   `decision_metrics`: value, lift, calibration and guardrails by day.
# MAGIC - **Needs** a champion (without one it does nothing), and its decisions of the day
# MAGIC   (notebook 05).
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

outcome = lifecycle.monitor(settings, spark)
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
