"""What gates said of a version, kept with its run and on the version itself."""

from __future__ import annotations

import datetime as dt

from nextbest.registry.asking import asking, client


def record_verdict(model: str, version: str, day: dt.date, verdict: dict[str, object]) -> None:
    """Keep a gate's verdict with the version's run, and in short on the version itself."""
    right = f"being the owner of {model} and CAN EDIT on the experiment"
    with asking(f"verdict on {model} version {version}", right):
        known = client().get_model_version(model, version)
        client().log_dict(known.run_id, verdict, f"verdicts/{day.isoformat()}.json")
        client().set_model_version_tag(model, version, "verdict", str(verdict["text"])[:4000])
