"""A version by what a person types: name@alias or name:version, of any target's model."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from dataclasses import dataclass

from nextbest.errors import PlatformError, UsageError
from nextbest.registry.asking import asking, client
from nextbest.registry.versions import HOLDOUT_SHARE, version_at

_FORM = re.compile(r"(?P<model>[^@:\s]*)(?:@(?P<alias>[^@:\s]+)|:(?P<version>\d+))")
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")


@dataclass(frozen=True)
class Named:
    """A version that is there: its model's three-level name and number, and how it was trained.

    as_of: the day before which all that it learned from lies; holdout_share: of all customers,
    whom it never learned from.
    """

    given: str
    model: str
    version: str
    as_of: dt.date
    holdout_share: float

    @property
    def text(self) -> str:
        """The version, with the alias by which it was named."""
        alias = self.given.partition("@")[2]
        return f"{self.model} version {self.version}" + (f" (@{alias})" if alias else "")


def named(given: str, own: str) -> Named:
    """The version that a text names; without a name it is one of the model `own`.

    Raises UsageError for a text of another form and for a model, alias or version that is not
    there, with those that are; PlatformError for a version that does not say how it was trained.
    """
    form = _FORM.fullmatch(given)
    if form is None:
        raise UsageError(
            f"'{given}' names no version: write CATALOG.SCHEMA.MODEL@ALIAS or "
            f"CATALOG.SCHEMA.MODEL:VERSION, or @ALIAS or :VERSION of {own}"
        )
    model = form["model"] or own
    if len(model.split(".")) != 3 or not all(model.split(".")):
        raise UsageError(
            f"'{given}': a model has a three-level name, CATALOG.SCHEMA.MODEL; without a name "
            f"(as in '{given[len(form['model']):]}') it is {own}"
        )
    version = form["version"] or version_at(model, form["alias"])
    if version is None:
        raise UsageError(_no_alias(model, form["alias"], own))
    return _read(given, model, version, own)


def _read(given: str, model: str, version: str, own: str) -> Named:
    from mlflow.exceptions import MlflowException

    with asking(f"{model} version {version}", f"EXECUTE on {model}"):
        try:
            known = client().get_model_version(model, version)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            raise UsageError(_no_version(model, version, own)) from error
    lacking = [name for name in ("as_of", HOLDOUT_SHARE) if not known.tags.get(name)]
    if known.status != "READY" or lacking:
        what = f"no tag '{', '.join(lacking)}'" if lacking else f"status {known.status}"
        raise PlatformError(
            f"{model} version {version} has {what}: it was not trained to its end by "
            "training_job, so nobody knows what it must not be judged on; train it anew"
        )
    return Named(
        given,
        model,
        version,
        dt.date.fromisoformat(known.tags["as_of"]),
        float(known.tags[HOLDOUT_SHARE]),
    )


def _no_alias(model: str, alias: str, own: str) -> str:
    aliases = _aliases(model)
    if aliases is None:
        return _no_model(model, own)
    near = difflib.get_close_matches(alias, aliases, n=1)
    hint = f": did you mean @{near[0]}?" if near else ""
    there = ", ".join(f"@{name} (version {at})" for name, at in sorted(aliases.items()))
    return f"{model} has no alias '{alias}'{hint}; it has {there or 'none'}"


def _no_version(model: str, version: str, own: str) -> str:
    if _aliases(model) is None:
        return _no_model(model, own)
    with asking(f"versions of {model}", f"EXECUTE on {model}"):
        versions = sorted(
            (int(each.version) for each in client().search_model_versions(f"name='{model}'")),
        )
    return f"{model} has no version {version}; it has {', '.join(map(str, versions)) or 'none'}"


def _no_model(model: str, own: str) -> str:
    near = difflib.get_close_matches(model, [own], n=1)
    hint = f" (did you mean {own}?)" if near and own != model else ""
    return f"there is no model {model}{hint}, or it is hidden from you: it takes EXECUTE on it"


def _aliases(model: str) -> dict[str, str] | None:
    """Aliases of a model with their versions; None when there is no such model."""
    from mlflow.exceptions import MlflowException

    with asking(f"aliases of {model}", f"EXECUTE on {model}"):
        try:
            return dict(client().get_registered_model(model).aliases)
        except MlflowException as error:
            if error.error_code in ABSENT:
                return None
            raise
