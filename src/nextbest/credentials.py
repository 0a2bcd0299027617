"""Credentials that are written inside of other texts: connection strings, URLs, headers."""

from __future__ import annotations

import re
from urllib.parse import unquote

_NAMES = (
    r"password|passwd|pwd|passphrase|secret|token|api_?key|access_?key|account_?key|sig(?:nature)?"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # jdbc:…;password=…, …?sig=…, "client_secret": "…"
        rf"""(?:^|[?&;,\s"'{{(])[\w.-]*(?:{_NAMES})["']?\s*[=:]\s*["']?([^\s;&,"')}}]+)""",
        r"[a-z][a-z0-9+.-]*://[^/\s:@]*:([^/\s@]+)@",  # https://user:…@host
        r"\bbearer\s+((?=\S*\d)[\w.~+/=-]{8,})",
        r"""https?://[^\s"']*?hook[^\s"'/]*/([^\s"']{8,})""",  # a web hook's path is its key
        r"\b(dapi[0-9a-f]{32}(?:-\d+)?)\b",
        r"\b(gh[pousr]_\w{20,})\b",
        r"\b(xox[abprs]-[\w-]{10,})",
        r"\b(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})",  # a JSON web token
    )
)
_NOTHING = {"", "none", "null", "true", "false"}
_PART = 16  # characters from which one step of a path may be a key of its own


def inside(text: str) -> tuple[str, ...]:
    """The credentials in a text, without what surrounds them; also with `%xx` read."""
    found: list[str] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            found += [match[1], *(part for part in match[1].split("/") if len(part) >= _PART)]
    found += [unquote(each) for each in found]
    return tuple(dict.fromkeys(each for each in found if each.lower() not in _NOTHING))
