"""`dbb validate --fix`: findings that the files alone can mend, mended one after the other."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from nextbest.bundle.edits import applied
from nextbest.bundle.graph import Diagnostic
from nextbest.bundle.read import diagnose
from nextbest.bundle.spans import Unclear
from nextbest.errors import BundleError

_SUFFIXES = (".yml", ".yaml")
# Names first: what they hide comes to light. Then what is missing; the order of tasks last.
_KINDS = ("key", "value", "below", "above", "entry", "order")


class Fixed(NamedTuple):
    """What can be mended: the files' texts before and after, each fix, and what was left."""

    before: Mapping[str, str]  # by path relative to the bundle; only files that change
    after: Mapping[str, str]
    made: tuple[Diagnostic, ...]
    left: Mapping[Diagnostic, str]  # findings that have an edit which can't be made, and why


def fixed(
    root: Path, target: str | None, variables: Mapping[str, str], user: str | None = None
) -> Fixed:
    """Mend what can be mended, in memory; nothing is written.

    Each fix is tried by itself: it stays when the finding is gone and no error came for it.
    """
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    made: list[Diagnostic] = []
    refused: dict[_Told, str] = {}

    def ask(texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
        return diagnose(root, target, variables, user, texts)[1]

    found = ask(after)
    seen = [dict(after)]
    while (item := _next(found, refused)) is not None and item.edit is not None:
        name = item.edit.location.file
        try:
            before.setdefault(name, _text(root, name))
            changed = applied(after.get(name, before[name]), item.edit)
            texts = {**after, name: changed}
            now = ask(texts)
            _better(item, found, now)
            if texts in seen:
                raise Unclear("it would undo another fix")
        except Unclear as reason:
            refused[_told(item)] = str(reason)
            continue
        seen.append(texts)
        after, found = texts, now
        made.append(item)
    left = {item: refused[_told(item)] for item in found if _told(item) in refused}
    return Fixed({name: before[name] for name in after}, after, tuple(made), left)


_Told = tuple[str, str]


def _told(item: Diagnostic) -> _Told:
    """A finding wherever it stands: lines move while others are mended."""
    return item.path, item.summary


def _next(found: Sequence[Diagnostic], refused: Mapping[_Told, str]) -> Diagnostic | None:
    able = [item for item in found if item.edit is not None and _told(item) not in refused]
    return min(able, key=lambda item: _KINDS.index(item.edit.kind), default=None)


def _better(item: Diagnostic, before: Sequence[Diagnostic], now: Sequence[Diagnostic]) -> None:
    """Raises Unclear unless a finding is gone, and no error came that another fix can't mend.

    A field that has its right name may show errors: they were there, but nobody looked.
    """
    same = [[_told(each) for each in found].count(_told(item)) for found in (before, now)]
    if same[1] >= same[0]:
        raise Unclear("the change would not mend it")
    known = set(map(_told, before))
    for each in now:
        new = each.severity == "error" and each.edit is None and _told(each) not in known
        if new and item.edit is not None and item.edit.kind != "key":
            raise Unclear(f"then it would be wrong in another way: {each.summary}")


def _text(root: Path, name: str) -> str:
    if not name.endswith(_SUFFIXES):
        raise Unclear(f"{name} is not YAML")
    return (root / name).read_bytes().decode("utf-8")


def write(root: Path, fix: Fixed) -> None:
    """Write the changed files, each at once: whoever reads sees the old text or the new one.

    Raises BundleError when a file is no longer what the fix was made for.
    """
    for name, text in fix.before.items():
        if (root / name).read_bytes().decode("utf-8") != text:
            raise BundleError(f"{name} was changed meanwhile: nothing was written, run it again")
    for name, text in fix.after.items():
        path = (root / name).resolve()  # a link stays one
        handle, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            os.chmod(new, path.stat().st_mode)
            os.replace(new, path)
        except BaseException:
            Path(new).unlink(missing_ok=True)
            raise
