"""The ways in which a secret can be written down by those who carry it further."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

_LEAST = 8  # characters of a piece below which it would be found where no secret is


def spellings(secret: str) -> set[str]:
    """A secret as it is, in JSON, Python, HTML, URLs and base64, and the lines of a longer one.

    Base64 has three spellings inside of longer data, by the place at which the secret begins;
    of each only what does not depend on its neighbours.
    """
    plain = {secret}
    if "\n" in secret.strip():
        plain |= {line.strip() for line in secret.splitlines() if len(line.strip()) >= _LEAST}
    escaped = {
        form
        for text in plain
        for form in (
            text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1],
            repr(text)[1:-1], ascii(text)[1:-1], repr(text.encode())[2:-1],
        )
    }  # fmt: skip
    marked = {html.escape(text, quote=quoted) for text in escaped for quoted in (True, False)}
    linked = {form for text in plain for form in (quote(text), quote(text, ""), quote_plus(text))}
    return escaped | marked | linked | _base64(secret.encode())


def _base64(data: bytes) -> set[str]:
    found = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(data).decode()
        pieces = [whole, whole.rstrip("=")]
        for before in range(3):
            text = encode(b"\0" * before + data).decode()
            pieces.append(text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6])
        found |= {piece for piece in pieces if len(piece) >= _LEAST}
    return found
