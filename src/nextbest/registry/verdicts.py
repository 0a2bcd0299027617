"""What gates said of a version, kept with its run and on the version itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from nextbest.registry.asking import asking, client

LOGGING = "logging"  # judged against the policy that wrote the log, there being no champion


@dataclass(frozen=True)
class Recorded:
    """The last verdict on a version: over which version, on which day and rows, in words."""

    passed: bool
    against: str  # the champion's version, or LOGGING
    as_of: dt.date
    holdout: str  # digest of the rows both were judged on
    text: str


def record_verdict(
    model: str,
    version: str,
    verdict: Mapping[str, object],
    *,
    against: str | None,
    as_of: dt.date,
    holdout: str,
    page: str = "",
) -> None:
    """Keep a verdict, as JSON and as a page, with the runs of both versions; and in tags.

    against: the version it was compared with, None for the policy that wrote the log. On the
    version's own run it is verdicts/DAY, on the other's verdicts/DAY-of-version-N. Whether it
    passed is open until all else is written: half a record is none.
    """
    told = dict(verdict)
    names = {version: as_of.isoformat()}
    if against is not None:
        names[against] = f"{as_of.isoformat()}-of-version-{version}"
    right = f"being the owner of {model} and CAN EDIT on the experiment"
    with asking(f"verdict on {model} version {version}", right):
        runs = {each: client().get_model_version(model, each).run_id for each in names}
        client().set_model_version_tag(model, version, "verdict_passed", "open")
        for each, name in names.items():
            client().log_dict(runs[each], told, f"verdicts/{name}.json")
            if page:
                client().log_text(runs[each], page, f"verdicts/{name}.html")
        tags = {
            "verdict": str(verdict["text"])[:4000],
            "verdict_against": against or LOGGING,
            "verdict_as_of": as_of.isoformat(),
            "verdict_holdout": holdout,
            "verdict_passed": str(verdict["passed"] is True).lower(),
        }
        for name, text in tags.items():
            client().set_model_version_tag(model, version, name, text)


def recorded_verdict(model: str, version: str) -> Recorded | None:
    """The last whole verdict on a version, or None when it has none."""
    with asking(f"{model} version {version}", f"EXECUTE on {model}"):
        tags = client().get_model_version(model, version).tags
    if tags.get("verdict_passed") not in ("true", "false"):
        return None
    return Recorded(
        passed=tags["verdict_passed"] == "true",
        against=tags["verdict_against"],
        as_of=dt.date.fromisoformat(tags["verdict_as_of"]),
        holdout=tags["verdict_holdout"],
        text=tags.get("verdict", ""),
    )
