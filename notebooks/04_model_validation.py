# Databricks notebook source
# MAGIC %md
# MAGIC # 04 · Validation
# MAGIC What would the candidate's policy have been worth on the held-out decisions? Off-policy
# MAGIC estimates with intervals, against the logging policy and the champion. The gate fails
# MAGIC closed; only on evidence does an alias move.
# MAGIC
# MAGIC - **Reads** the candidate, the champion, `decisions`, `outcomes`, `customer_features`.
# MAGIC - **Writes** the verdict on the model version, its aliases as far as `release_to` allows,
# MAGIC   `promotions`.
# MAGIC - **Needs** a candidate (notebook 03).
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

outcome = lifecycle.validate_model(settings, spark)
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
