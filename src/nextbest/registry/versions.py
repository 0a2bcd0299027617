"""Versions of a registered model: which carries an alias, how each was trained."""

from __future__ import annotations

import datetime as dt
import hashlib

from nextbest.errors import PlatformError
from nextbest.registry.asking import asking, client

ALIASES = ("candidate", "staging", "champion")
TRAINING_KEY = "training_key"
HOLDOUT_SHARE = "holdout_share"  # of all customers, whom the version never learned from


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
    set_alias(model, "candidate", version)


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


def tag_forced(model: str, version: str, alias: str, who: str, reason: str) -> None:
    """Leave on a version for ever that it was forced; a tag for each time."""
    now = dt.datetime.now(dt.UTC)
    told = f"{alias} at {now:%Y-%m-%d %H:%M:%S} UTC by {who}, without evidence: {reason}"
    with asking(f"tag of {model} version {version}", f"being the owner of {model}"):
        client().set_model_version_tag(model, version, f"forced_{now:%Y%m%dT%H%M%S%f}", told[:4000])


def set_alias(model: str, alias: str, version: str) -> None:
    """Point the alias at a version."""
    with asking(f"alias {model}@{alias}", f"being the owner of {model}"):
        client().set_registered_model_alias(model, alias, version)
