# Databricks notebook source
# MAGIC %md
# MAGIC # 09 · Alerting
# MAGIC What is new about the day's findings goes to every channel of `alert_channels`, once. A
# MAGIC receiver that does not take it fails this task; the next run, or a repair, sends it again.
# MAGIC
# MAGIC - **Reads** the tables `alerts` and `responses` of notebook 07.
# MAGIC - **Writes** the table `alert_deliveries`.
# MAGIC - **Needs** notebook 07 for the same `as_of` (without a verdict it does nothing).
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

outcome = lifecycle.send_alerts(settings, spark)
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
