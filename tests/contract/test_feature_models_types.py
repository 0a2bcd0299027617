"""A served model gets what a batch gives it, whatever types its features have."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from scored_models import REQUIREMENTS, SCHEMA, at

from nextbest.errors import DataError
from nextbest.platforms import Lookup, NewModel, TrainingSpec

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("feature_models")]

EVERY = {
    "shop": "int", "vip": "boolean", "small": "smallint", "share": "float", "spend": "double",
    "visits": "bigint", "day": "date", "seen": "timestamp", "tier": "string",
    "prices": "array<float>", "ranks": "array<int>", "flags": "array<boolean>",
    "words": "array<string>", "raw": "binary", "points": "int",
}  # fmt: skip
REQUEST = "id string, d date, t timestamp"
KNOWN = (3, True, 2, 0.5, float("nan"), 7, dt.date(2026, 1, 5), at(6), "gold",
         [1.0, 2.0], [1, None], [True, False], ["x", None], b"x", 9)  # fmt: skip


@pytest.fixture(scope="module")
def telling(store, spark):
    """A model over features of every type, one table keyed by a feature and one by a date."""
    import mlflow
    from mlflow.types import ColSpec, Schema

    class Telling(mlflow.pyfunc.PythonModel):
        """It answers with the frame that it is given: types and values."""

        def predict(self, context, rows):
            kinds = rows.dtypes.to_dict()
            return [
                "\n".join(f"{name} {kinds[name]} {value!r}" for name, value in row.items())
                for row in rows.to_dict("records")
            ]

    columns = ", ".join(f"{name} {kind}" for name, kind in EVERY.items())
    rows = [("a", *KNOWN), ("gaps", *[None] * len(EVERY))]
    who, shops, days, times = (f"{SCHEMA}.served_{k}" for k in ("who", "shops", "days", "times"))
    store.write(who, spark.createDataFrame(rows, f"id string, {columns}"), ["id"], None)
    store.write(shops, spark.createDataFrame([(3, 1.5)], "no int, size double"), ["no"], None)
    born = spark.createDataFrame([(dt.date(2026, 1, 1), 4)], "d date, open int")
    store.write(days, born, ["d"], None)
    rates = spark.createDataFrame([(at(1), 0.5)], "moment timestamp, rate double")
    store.write(times, rates, ["moment"], None)
    for table in (who, shops, days, times):
        store.publish(table)
    lookups = [
        Lookup(who, ("id",), defaults={"points": 5}), Lookup(shops, ("shop",)),
        Lookup(days, ("d",)), Lookup(times, ("t",)),
    ]  # fmt: skip
    spine = spark.createDataFrame([("a", dt.date(2026, 1, 1), at(1))], REQUEST)
    logged = NewModel(
        Telling(), f"{SCHEMA}.telling", mlflow.pyfunc, REQUIREMENTS, Schema([ColSpec("string")])
    )
    with mlflow.start_run(experiment_id=mlflow.create_experiment("telling")):
        return store.log_model(logged, TrainingSpec(spine, lookups))


def test_a_served_model_gets_what_a_batch_gives_it(store, spark, telling):
    import mlflow

    uri = f"models:/{SCHEMA}.telling/{telling}"
    served = mlflow.pyfunc.load_model(uri)
    # One at a time, since a gap decides the type of a whole column.
    for key in (("a", at(1).date(), at(1)), ("gaps", at(2).date(), at(2))):
        batch = store.score_batch(uri, spark.createDataFrame([key], REQUEST), "string")
        given = pd.DataFrame([map(str, key)], columns=["id", "d", "t"])  # as JSON has them
        (answer,) = served.predict(given)
        assert answer.splitlines() == batch.first()["prediction"].splitlines()
    days = ["2026-01-01", "2026-01-02"]
    both = pd.DataFrame({"id": ["a", "nobody"], "d": days, "t": days})
    one, other = served.predict(both)
    assert "shop float64 3.0\n" in one
    assert "points int32 9\nsize float64 1.5\nopen float64 4.0\nrate float64 0.5" in one
    assert "points int32 5\nsize float64 nan\nopen float64 nan\nrate float64 nan" in other
    with pytest.raises(DataError, match="d is a date"):
        served.predict(pd.DataFrame({"id": ["a"], "d": ["2026-01-01 08:00"], "t": days[:1]}))
