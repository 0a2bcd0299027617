"""Which model version is candidate, staging and champion, and the ledger of how it came about."""

from nextbest.registry.asking import asking, client
from nextbest.registry.promotion import PromotionLost
from nextbest.registry.releasing import NotReleased, lacking, release
from nextbest.registry.runs import VersionRun, log_measures, run_of, version_runs
from nextbest.registry.verdicts import LOGGING, Recorded, record_verdict, recorded_verdict
from nextbest.registry.versions import (
    ALIASES,
    HOLDOUT_SHARE,
    TRAINING_KEY,
    holdout_share,
    name_candidate,
    tag_forced,
    training_key,
    version_at,
    version_trained_on,
)

__all__ = [
    "ALIASES",
    "HOLDOUT_SHARE",
    "LOGGING",
    "TRAINING_KEY",
    "NotReleased",
    "PromotionLost",
    "Recorded",
    "VersionRun",
    "asking",
    "client",
    "holdout_share",
    "lacking",
    "log_measures",
    "name_candidate",
    "record_verdict",
    "recorded_verdict",
    "release",
    "run_of",
    "tag_forced",
    "training_key",
    "version_at",
    "version_runs",
    "version_trained_on",
]
