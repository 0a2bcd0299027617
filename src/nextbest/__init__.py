"""Next best action on Databricks: decide, learn from what happened, operate safely."""

__version__ = "0.1.0"
