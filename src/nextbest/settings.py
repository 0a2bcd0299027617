"""What a run was told: bundle variable → job parameter → notebook widget → one frozen value."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from nextbest import credentials
from nextbest.errors import SettingsError

NOTHING: Mapping[str, str] = MappingProxyType({})


class Widgets(Protocol):
    """The part of `dbutils.widgets` that is needed to read settings."""

    def text(self, name: str, default: str) -> None: ...

    def get(self, name: str) -> str: ...


@dataclass(frozen=True)
class Settings:
    """Every setting of every notebook; each field is one job parameter of the same name."""

    platform: str  # local | databricks: chosen here and nowhere else
    catalog: str
    schema: str
    volume: str
    use_case: str
    source: str  # simulated | open_bandit | a log of your own: a path or three-level table
    mapping: str  # path of the mapping of a log of your own; or none
    campaign: str  # of open_bandit: all | men | women
    model_name: str  # catalog.schema.model
    experiment: str
    endpoint: str  # name of the serving endpoint
    as_of: dt.date  # everything strictly before this day's midnight (UTC) is known
    max_rejected_share: float  # of a table's rows: above it, none of them is taken
    seed: int
    customers: int  # size of the simulated base
    history_days: int  # days of decisions to learn from and to hold out
    decisions_per_day: int  # of the simulated logging policy
    attribution_days: int  # an outcome later than this does not count
    holdout_share: float  # of all customers: never trained on, to judge on
    exploration: float  # share of uniform choice over the eligible treatments
    exploration_floor: float  # least probability of each eligible treatment
    temperature: float  # of a softmax of the scores, in money; 0: the best score is chosen
    thompson_draws: int  # of Thompson sampling, which then ranks; 0: no
    control_share: float  # share of customers that are treated at random, to measure against
    eligibility_share: float  # share of customers that only eligibility restrains, at random
    contact_policy: str  # decisions.notation; none; or default, the use case's own
    channel_capacity: str  # decisions.notation: contacts a day by channel; or none
    daily_budget: str  # money a day for all contacts; or none
    confidence: float  # of every interval
    min_lift: float  # the interval of the lift must lie above this
    min_ess: float  # effective sample below which evidence is too thin
    max_contact_growth: float  # share of contacts by which a released version may have more
    model_version: str  # which one deployment_job is about: a number, or candidate
    release_to: str  # candidate | staging | champion: how far this target lets a version go
    drift: str  # none | covariate | concept | both: what the simulated world does to itself
    drift_from: str  # a date, or "live": the first day with decisions of our own
    drift_threshold: float  # population stability index that counts as drift
    drift_windows: str  # "K of M": a column must be past it now, and in K of the last M days
    monitor_slices: str  # SQL over recommendations, "channel; segment": drift by value; or none
    retrain_cooldown_days: int  # from one retraining that drift started to the next
    retrain_cap: int  # retrainings that drift may start within retrain_window_days
    retrain_window_days: int
    alert_channels: str  # who is told: see channels.declared
    alert_reminder_days: int  # after which a finding that goes on is told again
    profiling: str  # data_quality | quality_monitors: Databricks' APIs | own: our own code

    @property
    def dataset(self) -> str:
        """What keeps one log's tables and models apart from another's; "" for the simulation."""
        known = {"simulated": "", "open_bandit": f"open_bandit_{self.campaign}_"}
        return known[self.source] if self.source in known else _named(self.source, self.mapping)

    @property
    def own_log(self) -> bool:
        """Whether rows come from a log of the user's own, by a mapping."""
        return self.source not in _SOURCES

    def table(self, name: str) -> str:
        """Three-level name of a table of this target and log."""
        return f"{self.catalog}.{self.schema}.{self.dataset}{name}"

    @property
    def model(self) -> str:
        """Three-level name of the registered model that learns from this log."""
        return f"{self.model_name}_{self.dataset}".rstrip("_")

    @classmethod
    def from_widgets(cls, widgets: Widgets, defaults: Mapping[str, str] = NOTHING) -> Settings:
        """Read one widget per field; an empty one takes its default, or counts as missing.

        `defaults` are by_hand.values: a job has none, it fills every widget. Raises SettingsError
        with all missing and malformed settings together.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in names:
            widgets.text(name, "")
        given = {name: widgets.get(name) for name in names}
        return cls.parse(
            {name: text if text.strip() else defaults.get(name, "") for name, text in given.items()}
        )

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Settings:
        """Turn strings, as job parameters are, into typed settings.

        Raises SettingsError with all missing, unknown and malformed settings together, and for
        those that hold a password or a key: settings are shown on pages, and logged to MLflow.
        """
        fields = {field.name: str(field.type) for field in dataclasses.fields(cls)}
        texts = {name: str(values.get(name, "")).strip() for name in fields}
        problems = [_unknown(name, list(fields)) for name in values if name not in fields]
        if missing := [
            f"{name} ({_KIND[fields[name]]})" for name, text in texts.items() if not text
        ]:
            problems.append(f"{len(missing)} missing: {', '.join(missing)}. {_GIVEN}")
        parsed: dict[str, Any] = {}
        for name, text in texts.items():
            kind = fields[name]
            if not text:
                continue
            if credentials.inside(text):
                problems.append(_CREDENTIAL.format(name))
                continue
            try:
                parsed[name] = _PARSERS[kind](text)
            except ValueError:
                problems.append(f"'{name}' is '{text}', which is not {_MEANING[kind]}")
        if not re.fullmatch(r"candidate|[1-9]\d*", told := parsed.get("model_version", "1")):
            problems.append(f"'model_version' is '{told}'; it must be candidate, or a number")
        try:
            windows_of(told := parsed.get("drift_windows", "1 of 1"))
        except ValueError:
            problems.append(f"'drift_windows' is '{told}'; it must be like 3 of 4")
        problems += [
            f"'{name}' is '{parsed[name]}'; it must be one of {', '.join(allowed)}"
            for name, allowed in _CHOICES.items()
            if name in parsed and parsed[name] not in allowed
        ]
        if {"source", "mapping"} <= set(parsed):
            problems += _own_log(parsed["source"], parsed["mapping"])
        if problems:
            raise SettingsError("settings: " + "; ".join(problems))
        return cls(**parsed)


def windows_of(text: str) -> tuple[int, int]:
    """K and M of "K of M"; raises ValueError for anything else than 1 ≤ K ≤ M ≤ 90."""
    found = re.fullmatch(r"(\d{1,2}) of (\d{1,2})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= 90:
        raise ValueError(text)
    return int(found[1]), int(found[2])


def slices_of(text: str) -> tuple[str, ...]:
    """The expressions of monitor_slices, "a; b" or none, each once."""
    told = [part.strip() for part in text.split(";")]
    return () if text.strip() == "none" else tuple(dict.fromkeys(part for part in told if part))


_KIND = {"str": "text", "int": "whole number", "float": "number", "dt.date": "date"}
_GIVEN = (
    "A job passes all of them, as its parameters; by hand, choose a target in the widget 'target' "
    "and run again: a widget that is left empty then takes that target's value"
)
_CREDENTIAL = (
    "'{}' holds a password or a key, and settings are shown to everybody: leave it out, and let a "
    "Unity Catalog connection or a secret scope hold it"
)
_PARSERS = {"str": str, "int": int, "float": float, "dt.date": dt.date.fromisoformat}
_MEANING = {"int": "a whole number", "float": "a number", "dt.date": "a date like 2026-01-31"}
_CHOICES = {
    "platform": ("local", "databricks"),
    "campaign": ("all", "men", "women"),
    "release_to": ("candidate", "staging", "champion"),
    "drift": ("none", "covariate", "concept", "both"),
    "profiling": ("data_quality", "quality_monitors", "own"),
}


_SOURCES = ("simulated", "open_bandit")


def _own_log(source: str, mapping: str) -> list[str]:
    """A source that is none of ours is a path or a table, and needs a mapping; only then."""
    if source in _SOURCES:
        return [] if mapping == "none" else [f"'mapping' is '{mapping}', but 'source' is {source}"]
    if "/" not in source and "." not in source:
        known = ", ".join(_SOURCES)
        return [f"'source' is '{source}'; it must be one of {known}, or a path or table of a log"]
    if mapping == "none":
        return [f"'mapping' is none, but 'source' is the log {source}: `dbb inspect-log` makes one"]
    return []


def _named(source: str, mapping: str) -> str:
    """A name for one log by one mapping, as it may stand in a table's name."""
    stem = re.sub(r"[^a-z0-9]+", "_", source.replace("\\", "/").rsplit("/", 1)[-1].lower())
    digest = hashlib.sha256(f"{source}\n{mapping}".encode()).hexdigest()[:8]
    return f"{stem.strip('_')[:40]}_{digest}_"


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"'{name}' is no setting" + (f": did you mean '{near[0]}'?" if near else "")
