# Databricks notebook source
# MAGIC %md
# MAGIC # 10 · Evaluation
# MAGIC The first task of `deployment_job`: a version is judged against the champion on the frozen
# MAGIC holdout, unless that was done already today. It fails unless every gate passed.
# MAGIC
# MAGIC - **Reads** the version `model_version`, the champion, `decisions`, `outcomes`,
# MAGIC   `customer_features`.
# MAGIC - **Writes** the verdict on the model version, and who gave it.
# MAGIC - **Needs** a version (notebook 03).
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

outcome = lifecycle.evaluate_version(settings, spark)
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
