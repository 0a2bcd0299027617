"""Which model version is candidate, staging and champion, and the ledger of how it came about."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
from typing import TYPE_CHECKING

from nextbest import tables
from nextbest.errors import PlatformError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from pyspark.sql import SparkSession

ALIASES = ("candidate", "staging", "champion")
LEDGER = (
    "promotion_id string, promoted_at timestamp, promoted_by string, model string, "
    "version string, to_alias string, previous_version string, reason string, evidence string"
)
TRAINING_KEY = "training_key"
HOLDOUT_SHARE = "holdout_share"  # of all customers, whom the version never learned from


def client() -> MlflowClient:
    """MLflow as the environment points to it."""
    from mlflow import MlflowClient

    return MlflowClient()


def version_at(model: str, alias: str) -> str | None:
    """The version that carries the alias, or None when the model or the alias is not there."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import (
        INVALID_PARAMETER_VALUE,
        RESOURCE_DOES_NOT_EXIST,
        ErrorCode,
    )

    absent = {ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), ErrorCode.Name(INVALID_PARAMETER_VALUE)}
    try:
        return str(client().get_model_version_by_alias(model, alias).version)
    except MlflowException as error:
        # MLflow says INVALID_PARAMETER_VALUE for an alias that an existing model lacks.
        if error.error_code in absent and "not found" in str(error).lower():
            return None
        raise PlatformError(f"alias {model}@{alias} can't be read: {error}") from error


def version_trained_on(model: str, training_key: str) -> str | None:
    """The newest version with this training key: the same data and settings train only once."""
    found = [
        int(version.version)
        for version in client().search_model_versions(f"name='{model}'")
        if client().get_model_version(model, version.version).tags.get(TRAINING_KEY) == training_key
    ]
    return str(max(found)) if found else None


def training_key(*parts: object) -> str:
    """A digest of everything that determines a trained model."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:16]


def name_candidate(model: str, version: str) -> None:
    """Call a version the candidate: it was trained, nothing more."""
    client().set_registered_model_alias(model, "candidate", version)


def holdout_share(model: str, version: str) -> float:
    """The share of all customers from whom a version never learned (splits.held_out).

    Raises PlatformError when the version does not say.
    """
    share = client().get_model_version(model, version).tags.get(HOLDOUT_SHARE)
    if not share:
        raise PlatformError(
            f"{model} version {version} has no tag '{HOLDOUT_SHARE}', so nothing can be held out "
            "for it: train it anew by training_job"
        )
    return float(share)


def record_verdict(model: str, version: str, day: dt.date, verdict: dict[str, object]) -> None:
    """Keep a gate's verdict with the version's run, and in short on the version itself."""
    known = client().get_model_version(model, version)
    client().log_dict(known.run_id, verdict, f"verdicts/{day.isoformat()}.json")
    client().set_model_version_tag(model, version, "verdict", str(verdict["text"])[:4000])


def promote(
    spark: SparkSession,
    ledger: str,
    model: str,
    version: str,
    alias: str,
    reason: str,
    evidence: str,
) -> bool:
    """Write a promotion on the ledger, then move the alias; returns whether the alias moved.

    Can be repeated: a promotion cut off between the two is completed, a complete one is left
    alone.
    """
    from pyspark.sql import functions as F

    previous = version_at(model, alias)
    history: list[str] = []
    if tables.exists(spark, ledger):
        mine = (F.col("model") == model) & (F.col("to_alias") == alias)
        rows = spark.table(ledger).where(mine).orderBy("promoted_at").select("version").collect()
        history = [row["version"] for row in rows]
    if not history or history[-1] != version:
        identity = f"{model}|{alias}|{version}|{len(history)}"
        row = (
            hashlib.sha256(identity.encode()).hexdigest()[:16],
            dt.datetime.now(dt.UTC).replace(tzinfo=None),
            getpass.getuser(),
            model,
            version,
            alias,
            previous,
            reason,
            evidence,
        )
        tables.merge(spark.createDataFrame([row], LEDGER), ledger, ["promotion_id"])
    if previous == version:
        return False
    client().set_registered_model_alias(model, alias, version)
    return True
