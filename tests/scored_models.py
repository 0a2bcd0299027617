"""What a model with a feature spec is made of, and is registered as."""

from __future__ import annotations

import datetime as dt

from nextbest.platforms import FeatureFunction, Lookup, NewModel

SCHEMA = "juan_dev.ml_nba_demo_dev"
TABLE = f"{SCHEMA}.scored_features"
MODEL = f"{SCHEMA}.scored_model"
REQUIREMENTS = ["scikit-learn", "pandas"]


def at(day):
    return dt.datetime(2026, 1, day)


def ratio(spent: float, age: float) -> float:
    return None if spent is None else spent / (1 + age)


LOOKUPS = [
    Lookup(
        TABLE, ("customer_id",), "decided_at", lookback=dt.timedelta(days=30),
        renames={"spend": "spent"}, defaults={"visits": 4},
    )
]  # fmt: skip
FUNCTIONS = [FeatureFunction(f"{SCHEMA}.ratio", {"spent": "spent", "age": "age"}, "ratio")]


def new(model):
    import mlflow

    return NewModel(
        model, MODEL, mlflow.sklearn, REQUIREMENTS, tags={"why": "a test"},
        save={"serialization_format": "cloudpickle"},
    )  # fmt: skip
