"""Which model version is candidate, staging and champion, and the ledger of how it came about."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def asking(what: str, right: str) -> Iterator[None]:
    """What MLflow refuses in the block becomes a PlatformError.

    It names what it was about and the right that it needs. MLflow's client itself repeats what
    failed with 408, 429, 500, 502, 503 or 504, or was cut off, for some minutes.
    """
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    try:
        yield
    except MlflowException as error:
        told = next(iter(error.message.strip().splitlines()), "no reason given").rstrip(".")
        mend = {
            "PERMISSION_DENIED": f": it needs {right}; ask an owner to grant it",
            "UNAUTHENTICATED": ": renew the token, or log in with `databricks auth login`",
            "RESOURCE_DOES_NOT_EXIST": f": not there, or hidden from who asks; it needs {right}",
            "RESOURCE_CONFLICT": ": something else is changing it; run this again later",
            "INTERNAL_ERROR": f": run this again later; it takes {right}",
        }.get(error.error_code, f"; it takes {right}")
        raise PlatformError(f"{what}: refused ({error.error_code}: {told}){mend}") from error
    except (RequestException, TimeoutError) as error:
        raise PlatformError(f"{what}: MLflow did not answer ({error}); run this again") from error


def version_at(model: str, alias: str) -> str | None:
    """The version that carries the alias, or None when the model or the alias is not there."""
    from mlflow.exceptions import MlflowException

    with asking(f"alias {model}@{alias}", f"EXECUTE on {model}"):
        try:
            return str(client().get_model_version_by_alias(model, alias).version)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"):
                return None
            # So MLflow's own registry says that an existing model lacks the alias.
            if error.error_code == "INVALID_PARAMETER_VALUE" and "not found" in str(error).lower():
                return None
            raise


def version_trained_on(model: str, training_key: str) -> str | None:
    """The newest version with this training key: the same data and settings train only once.

    A version whose files never arrived (its training was killed meanwhile) is none.
    """
    with asking(f"versions of {model}", f"EXECUTE on {model}"):
        listed = client().search_model_versions(f"name='{model}'")
        versions = [client().get_model_version(model, each.version) for each in listed]
    found = [
        int(version.version)
        for version in versions
        if version.status == "READY" and version.tags.get(TRAINING_KEY) == training_key
    ]
    return str(max(found)) if found else None


def training_key(*parts: object) -> str:
    """A digest of everything that determines a trained model."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:16]


def name_candidate(model: str, version: str) -> None:
    """Call a version the candidate: it was trained, nothing more."""
    _set_alias(model, "candidate", version)


def holdout_share(model: str, version: str) -> float:
    """The share of all customers from whom a version never learned (splits.held_out).

    Raises PlatformError when the version does not say.
    """
    with asking(f"{model} version {version}", f"EXECUTE on {model}"):
        share = client().get_model_version(model, version).tags.get(HOLDOUT_SHARE)
    if not share:
        raise PlatformError(
            f"{model} version {version} has no tag '{HOLDOUT_SHARE}', so nothing can be held out "
            "for it: train it anew by training_job"
        )
    return float(share)


def record_verdict(model: str, version: str, day: dt.date, verdict: dict[str, object]) -> None:
    """Keep a gate's verdict with the version's run, and in short on the version itself."""
    right = f"being the owner of {model} and CAN EDIT on the experiment"
    with asking(f"verdict on {model} version {version}", right):
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
    _set_alias(model, alias, version)
    return True


def _set_alias(model: str, alias: str, version: str) -> None:
    with asking(f"alias {model}@{alias}", f"being the owner of {model}"):
        client().set_registered_model_alias(model, alias, version)
