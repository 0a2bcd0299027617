"""What each notebook touches of a target, where `dbb targets` can read it without an engine.

A test runs every notebook's stage and holds this to what it really read and wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

PROFILE, DRIFT = "recommendations_profile_metrics", "recommendations_drift_metrics"


class Touched(NamedTuple):
    """Tables by the names that `Settings.table` takes; whether other things of the target, too."""

    reads: tuple[str, ...]  # only
    writes: tuple[str, ...]
    model: str = ""  # reads or writes
    volume: bool = False
    experiment: bool = False
    endpoint: bool = False  # makes it
    moves_endpoint: bool = False  # that notebook 08 made, to another version
    online: tuple[str, ...] = ()  # tables that are brought online


_LANDED = ("actions", "customers", "decisions", "interactions", "outcomes")

BY_NOTEBOOK: Mapping[str, Touched] = {
    "01_data_generation": Touched((), (*_LANDED, "quarantine"), volume=True),
    "02_feature_engineering": Touched(
        _LANDED,
        ("action_features", "customer_features", "customer_history"),
        volume=True,
        online=("customer_features",),
    ),
    "03_model_training": Touched(
        ("actions", "customer_features", "decisions", "outcomes"),
        ("training_baseline",),
        model="writes",
        experiment=True,
    ),
    "04_model_validation": Touched(
        ("actions", "customer_features", "decisions", "outcomes"),
        ("promotions",),
        volume=True,
        model="writes",
        moves_endpoint=True,
    ),
    "05_batch_inference": Touched(
        ("actions", "customer_features"), ("decisions", "recommendations"), model="reads"
    ),
    "06_monitoring": Touched(
        ("actions", "customer_features", "outcomes", "recommendations", "training_baseline"),
        (PROFILE, DRIFT, "decision_metrics"),
        model="reads",
    ),
    "07_drift_detection": Touched(
        (
            "customer_features", "decision_metrics", "recommendations", "training_baseline",
            PROFILE, DRIFT,
        ),  # fmt: skip
        ("alert_acknowledgements", "alerts", "responses"),
        volume=True,
        model="reads",
    ),
    "08_model_serving": Touched(
        ("actions", "customer_features", "recommendations"),
        (),
        model="reads",
        endpoint=True,
        online=("customer_features",),
    ),
    "09_alerting": Touched(("alerts", "responses"), ("alert_deliveries",)),
    "10_evaluation": Touched(
        ("actions", "customer_features", "decisions", "outcomes", "promotions"),
        (),
        volume=True,
        model="writes",
    ),
    "11_approval": Touched((), (), model="reads"),
    "12_release": Touched((), ("promotions",), model="writes", moves_endpoint=True),
}
