"""How limits and the contact policy are written in settings: one line of text each."""

from __future__ import annotations

import re

from nextbest.decisions.contact_policy import SCOPES, ContactLimit, ContactPolicy, Suppression
from nextbest.errors import SettingsError

UNLIMITED = "none"  # an empty job parameter can't be told from a missing one
_PER = rf"(?: per (?P<per>{'|'.join(SCOPES)})(?: (?P<value>\S+))?)?"
_LIMIT = re.compile(rf"at most (?P<at_most>\d+) in (?P<days>\d+) days?{_PER}")
_SILENCE = re.compile(rf"(?P<days>\d+) days? of silence after (?P<kind>\w+){_PER}")


def read_contact_policy(text: str) -> ContactPolicy:
    """Rules separated by ";", or "none": see the forms below.

    "at most 3 in 7 days per customer", "at most 1 in 30 days per channel call" (the value is
    optional), "90 days of silence after opt_out per channel"; without "per" it is per customer.
    Raises SettingsError with every rule that reads otherwise.
    """
    if text.strip() == UNLIMITED:
        return ()
    rules: list[ContactLimit | Suppression] = []
    problems = []
    for part in text.split(";"):
        words = " ".join(part.split())
        limit, silence = _LIMIT.fullmatch(words), _SILENCE.fullmatch(words)
        found = limit or silence
        if found is None:
            problems.append(f"'{words}'")
            continue
        per, value, days = found["per"] or "customer", found["value"], int(found["days"])
        if limit:
            rules.append(ContactLimit(int(limit["at_most"]), days, per, value))
        else:
            rules.append(Suppression(found["kind"], days, per, value))
    if problems:
        raise SettingsError(
            f"contact_policy: {', '.join(problems)} can't be read; write rules as 'at most 3 in 7 "
            f"days per customer' or '90 days of silence after opt_out per channel' (per "
            f"{', '.join(SCOPES)}, with a name after it for a single one), separated by ';', or "
            f"'{UNLIMITED}'"
        )
    return tuple(rules)


def read_capacities(text: str) -> dict[str, float]:
    """Contacts a day by channel, as "call=1000; sms=5000", or "none".

    Raises SettingsError with every part that reads otherwise, and for a channel named twice.
    """
    if text.strip() == UNLIMITED:
        return {}
    found: dict[str, float] = {}
    problems = []
    for part in text.split(";"):
        name, _, number = (piece.strip() for piece in part.partition("="))
        if not name or not number.isdecimal() or name in found:
            problems.append(f"'{part.strip()}'")
        else:
            found[name] = float(number)
    if problems:
        raise SettingsError(
            f"channel_capacity: {', '.join(problems)} can't be read; write contacts a day as "
            f"'call=1000; sms=5000', each channel once, or '{UNLIMITED}'"
        )
    return found


def read_budget(text: str) -> float | None:
    """Money a day, or None for "none"; raises SettingsError for anything else."""
    if text.strip() == UNLIMITED:
        return None
    if not re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        raise SettingsError(
            f"daily_budget is '{text}'; write money a day as '2500', or '{UNLIMITED}'"
        )
    return float(text)
