"""A day is judged with the days of its own versions, and with outcomes that had come by then."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict

import pytest
from metric_rows import drift

from nextbest import registry, tables
from nextbest.lifecycle.assessing import SCORES, assess_day
from nextbest.monitoring.decision_metrics import COLUMNS, KEY, SCHEMA
from nextbest.monitoring.decision_quality import Arm, DecisionQuality
from nextbest.monitoring.guardrails import CONTACTS
from nextbest.monitoring.schemas import DRIFT_KEY, drift_schema
from nextbest.platforms.local.tracking import create_database
from nextbest.platforms.watched import live_monitor

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("mlflow")]

MODEL = "prod.ml_nba_demo.assessed"
AS_OF = dt.date(2026, 1, 20)
DECIDED = "decision_id string, as_of date, expected_value double, tenure double"


def day(ago):
    return AS_OF - dt.timedelta(days=ago)


def moved(ago, psi, version):
    """What drift_metrics has of a day on which one version decided."""
    at = dt.datetime.combine(day(ago), dt.time())
    return [
        drift(at, name, psi=psi if name == "tenure" else 0.0, model=model)
        for name in ("tenure", *SCORES)
        for model in ("*", version)
    ]


def outcomes(ago, came, matured=500, version="1", decisions=500, contacts=300):
    """What decision_metrics has of a day: 60 responses were foretold."""
    quality = DecisionQuality(Arm(decisions, contacts))
    told = {
        "model": MODEL, "model_version": version, "day": day(ago), "decisions": decisions,
        "counted": "", "matured": matured, "foretold_n": 500.0, "foretold_came": came,
        "foretold_expected": 60.0, "foretold_residual_logit": -2 * (came - 60),
        "foretold_variance": 50.0, "foretold_variance_logit": -100.0,
        "foretold_variance_logit2": 250.0, "foretold_actions": "{}",
        "sums": json.dumps(asdict(quality)),
    }  # fmt: skip
    return tuple(told.get(name) for name in COLUMNS)


@pytest.fixture(scope="module")
def version(tmp_path_factory, local_mlflow):
    """Version 1 of MODEL in a registry of its own, judged nine days before AS_OF: its folder."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyClassifier

    folder = tmp_path_factory.mktemp("assessed")
    create_database(folder)
    local_mlflow(folder)
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(
            DummyClassifier().fit([[0], [1]], [0, 1]), name="m",
            signature=infer_signature([[0.0]], [0]), pip_requirements=["scikit-learn"],
        )  # fmt: skip
    mlflow.register_model(logged.model_uri, MODEL)
    told = {"text": "fine", "passed": True}
    registry.record_verdict(MODEL, "1", told, against=None, as_of=day(9), holdout="h")
    return folder


@pytest.fixture
def seen(lakehouse, local_mlflow, version):
    """Assess AS_OF by rows of both tables; version 1 decided then."""
    spark, settings = lakehouse
    local_mlflow(version)
    home = settings(model_name=MODEL, as_of=AS_OF, attribution_days=3)
    decided = [(f"d{n}", AS_OF, float(n), float(n % 7)) for n in range(40)]

    def assessed(drifts, came=()):
        name = home.table("drift_metrics")
        for rows, schema, table, keys in (
            (drifts, drift_schema("model_version"), name, (*DRIFT_KEY, "model_version")),
            (came, SCHEMA, home.table("decision_metrics"), KEY),
            (decided, DECIDED, home.table("recommendations"), ["decision_id"]),
        ):
            tables.merge(spark.createDataFrame(list(rows), schema), table, keys)
        watched = live_monitor(home.table, ("tenure", *SCORES))
        return assess_day(home, spark, watched, "1", name)[0]

    return assessed


def test_a_column_must_be_past_its_threshold_on_three_of_four_days(seen):
    calm = [*moved(3, 0.0, "1"), *moved(2, 0.0, "1"), *moved(1, 0.5, "1"), *moved(0, 0.5, "1")]
    found = seen(calm)
    assert not found.verdict.drifted
    assert [each.column for each in found.verdict.watched] == ["tenure"]


def test_days_of_another_version_say_nothing_of_this_one(seen):
    found = seen([*moved(3, 0.5, "1"), *moved(2, 0.0, "2"), *moved(1, 0.5, "2"),
                  *moved(0, 0.0, "1")])  # fmt: skip
    assert not found.verdict.drifted
    fresh = seen([*moved(3, 0.0, "2"), *moved(2, 0.0, "2"), *moved(1, 0.0, "2"),
                  *moved(0, 0.5, "1")])  # fmt: skip
    assert [each.column for each in fresh.verdict.findings] == ["tenure"]  # its first day


def test_a_version_whose_decisions_were_made_again_is_not_of_its_day(seen):
    again = [*moved(3, 0.5, "1"), *moved(2, 0.5, "1"), *moved(1, 0.0, "1"), *moved(0, 0.5, "1")]
    again += moved(2, 0.5, "2")[1::2]  # rows of version 2 alone
    found = seen(again, [outcomes(2, 60.0, 0, "2", 0)])
    assert [each.column for each in found.verdict.findings] == ["tenure"]


def test_outcomes_count_once_their_window_has_closed_by_the_day(seen):
    quiet = moved(0, 0.0, "1")
    early = seen(quiet, [outcomes(2, 0.0)])  # measured by a later run
    assert (early.concept, early.verdict.drifted) == (None, False)
    known = seen(quiet, [outcomes(2, 0.0), outcomes(4, 0.0)])
    assert known.verdict.drifted
    assert "0 events came where 60 were foretold" in known.verdict.text
    assert known.advice.response == "retrain"


def test_a_version_that_contacts_more_than_on_its_days_before_is_told(seen):
    before = [outcomes(ago, 60.0, 0) for ago in (3, 2, 1)]
    others = [outcomes(ago, 60.0, 0, "2", contacts=490) for ago in (3, 2, 1)]
    calm = seen(moved(0, 0.0, "1"), [*before, *others, outcomes(0, 60.0, 0)])
    assert not calm.verdict.drifted
    found = seen(moved(0, 0.0, "1"), [*before, *others, outcomes(0, 60.0, 0, contacts=490)])
    assert [each.statistic for each in found.verdict.others] == [CONTACTS]
