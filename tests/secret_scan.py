"""Looks for secrets in whatever a run left: what could hide them is undone, none is spelled."""

from __future__ import annotations

import base64
import codecs
import html
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, unquote_plus

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_UNDONE: tuple[Callable[[str], str], ...] = (
    str, html.unescape, unquote, unquote_plus,
    lambda text: re.sub(
        r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt'\"\\/])",
        lambda it: codecs.decode(it[0].replace("\\/", "/"), "unicode_escape"),
        text,
    ),
)  # fmt: skip


def found(secrets: Iterable[str], data: bytes) -> set[str]:
    """Which of the secrets stand in the data, plainly or below up to two layers of escapes."""
    secrets = list(secrets)
    texts = {data.decode("utf-8", "replace")}
    for _ in range(2):
        texts |= {undo(text) for text in texts for undo in _UNDONE}
    texts |= {each.decode("utf-8", "replace") for each in _decoded(data)}
    return {secret for secret in secrets for text in texts if secret in text}


def _decoded(data: bytes) -> Iterator[bytes]:
    for match in _BASE64.finditer(data):
        run = match[0].replace(b"-", b"+").replace(b"_", b"/")
        for skipped in range(4):
            part = run[skipped:]
            whole = part[: len(part) - (len(part) % 4 == 1)]  # of one sign alone nothing is told
            yield base64.b64decode(whole + b"=" * (-len(whole) % 4))


def in_folder(secrets: Iterable[str], folder: Path) -> dict[str, set[str]]:
    """The files below a folder that hold secrets, archives opened: path to what it holds."""
    told = {}
    for path in folder.rglob("*"):
        if path.is_file():
            for name, data in _contents(path):
                if here := found(secrets, data):
                    told[name] = here
    return told


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield str(path), data
    if zipfile.is_zipfile(BytesIO(data)):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for name in archive.namelist():
                yield f"{path}!{name}", archive.read(name)
