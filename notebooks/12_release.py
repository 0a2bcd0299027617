# Databricks notebook source
# MAGIC %md
# MAGIC # 12 · Release
# MAGIC The last task of `deployment_job`: an approved version becomes staging, then champion, if
# MAGIC the champion still is the one that it was judged against. The endpoint follows.
# MAGIC
# MAGIC - **Reads** verdict and approval of the version `model_version`.
# MAGIC - **Writes** the aliases of the model, `promotions`, the endpoint.
# MAGIC - **Needs** an approval (notebook 11).
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

outcome = lifecycle.release_version(settings, spark)
print(outcome.summary)

# COMMAND ----------

for heading, shown in outcome.shown.items():
    displayHTML(f"<h3>{heading}</h3>")
    display(shown)

# COMMAND ----------

for key, value in outcome.values.items():
    dbutils.jobs.taskValues.set(key, value)
dbutils.jobs.taskValues.set("summary", outcome.summary)
