"""One function per notebook: the only room that knows stages and platform together."""

from nextbest.lifecycle.alerting import send_alerts
from nextbest.lifecycle.deployment import check_approval, evaluate_version, release_version
from nextbest.lifecycle.featuring import engineer_features
from nextbest.lifecycle.incoming import generate_data, ingest
from nextbest.lifecycle.live import decide_batch, serve_model
from nextbest.lifecycle.training import train_model
from nextbest.lifecycle.validation import validate_model
from nextbest.lifecycle.watching import detect_drift, monitor

__all__ = [
    "check_approval",
    "decide_batch",
    "detect_drift",
    "engineer_features",
    "evaluate_version",
    "generate_data",
    "ingest",
    "monitor",
    "release_version",
    "send_alerts",
    "serve_model",
    "train_model",
    "validate_model",
]
