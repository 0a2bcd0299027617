"""How channels are written in the setting `alert_channels`: one line of text, without secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nextbest.errors import SettingsError

_SECRET = r"\{\{\s*secrets/[\w.@-]+/[\w.@-]+\s*\}\}"
_PLACE = rf"(?P<place>{_SECRET}|https?://\S+)"
_ADDRESS = r"[^\s,;<>@]+@[^\s,;<>@]+"
_FORMS = {
    "log": re.compile("log"),
    "email": re.compile(
        rf"email to (?P<to>{_ADDRESS}(?: ?, ?{_ADDRESS})*) from (?P<sender>{_ADDRESS}) "
        rf"by (?P<place>smtps?://[\w.-]+(?::\d+)?)(?: as (?P<user>\S+) (?P<secret>{_SECRET}))?"
    ),
    "slack": re.compile(rf"slack {_PLACE}"),
    "teams": re.compile(rf"teams {_PLACE}"),
    "webhook": re.compile(rf"webhook {_PLACE}(?: signed (?P<secret>{_SECRET}))?"),
}
_REFERENCE = re.compile(r"\{\{\s*secrets/([\w.@-]+)/([\w.@-]+)\s*\}\}")
_HELP = (
    "write channels separated by ';', each as 'log', 'slack {{secrets/SCOPE/KEY}}', "
    "'teams {{secrets/SCOPE/KEY}}', 'webhook https://… signed {{secrets/SCOPE/KEY}}' or "
    "'email to A@X, B@X from C@X by smtp://HOST:587 as USER {{secrets/SCOPE/KEY}}'"
)


@dataclass(frozen=True)
class Channel:
    """One receiver: of an e-mail to two people there are two.

    name: how it is declared, by which deliveries know it; place: a URL, or a reference to the
    secret that holds it; secret: reference to a password (e-mail) or signing key (webhook).
    """

    kind: str  # log | email | slack | teams | webhook
    name: str
    place: str = ""
    to: str = ""
    sender: str = ""
    user: str = ""
    secret: str = ""


def read_channels(text: str) -> tuple[Channel, ...]:
    """The channels of `alert_channels`; raises SettingsError with every part that reads otherwise.

    Forms: "log"; "slack PLACE" and "teams PLACE", where PLACE is the hook's URL as a reference
    {{secrets/scope/key}}; "webhook PLACE", with "signed {{secrets/scope/key}}" after it or not;
    "email to A, B from C by smtp://host:587 as user {{secrets/scope/key}}" (smtp: STARTTLS;
    smtps: TLS from the start; without "as" nobody logs in).
    """
    found: list[Channel] = []
    problems = []
    for part in text.split(";"):
        words = " ".join(part.split())
        form = _FORMS.get(words.split(" ")[0])
        match = form.fullmatch(words) if form else None
        if match is None:
            problems.append(f"'{words}'")
            continue
        given = {name: value or "" for name, value in match.groupdict().items()}
        kind = words.split(" ")[0]
        for to in given.pop("to", "").split(","):
            name = f"email to {to.strip()}{words[words.index(' from ') :]}" if to else words
            found.append(Channel(kind, name, to=to.strip(), **given))
    names = [each.name for each in found]
    problems += [f"'{name}' twice" for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        raise SettingsError(f"alert_channels: {', '.join(problems)} can't be read; {_HELP}")
    return tuple(found)


def reference(text: str) -> tuple[str, str] | None:
    """Scope and key of a reference to a secret, or None for a text that is none."""
    match = _REFERENCE.fullmatch(text)
    return None if match is None else (match[1], match[2])
