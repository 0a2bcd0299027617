"""In which formats a column's times are written."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa

from nextbest.data.own_log.files import Dialect
from nextbest.data.own_log.values import EPOCHS, ISO, moments

MOST = 5  # formats of one column
_DAYS = [f"{a}{s}{b}{s}{y}" for s in "/.-" for a, b in (("%d", "%m"), ("%m", "%d"))
         for y in ("%Y", "%y")]  # fmt: skip
_DAYS += ["%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
          "%d%b%Y", "%Y%m%d"]  # fmt: skip
_HOURS = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p",
          ", %H:%M", ", %H:%M:%S"]  # fmt: skip
PATTERNS = [day + hour for hour in _HOURS for day in _DAYS]
PATTERNS += ["%Y%m%d%H%M%S", "%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %z", "%Y%m%dT%H%M%S"]
_RANGES = {"epoch_s": (1e8, 4.2e9), "epoch_ms": (1e11, 4.2e12), "epoch_us": (1e14, 4.2e15)}
_MAYBE = re.compile(r"\d")


def formats_of(texts: list[str], dialect: Dialect) -> tuple[tuple[str, ...], float, list[str]]:
    """The formats that read these texts (few, the commonest first), the share read, and doubts.

    Numbers alone are epochs when all lie between 1973 and 2100. Day and month are told apart by
    texts that can be read one way only; when there is none, or both ways are needed, it is told.
    """
    left = sorted({text for text in texts if text})
    if not left or not all(_MAYBE.search(text) for text in left[:50]):
        return (), 0.0, []
    count = pd.to_numeric(pd.Series(left), errors="coerce")
    if count.notna().all():
        for name, (low, high) in _RANGES.items():
            if low <= count.min() and count.max() <= high and not _compact(left):
                return (name,), 1.0, []
    total = len(left)
    found: list[str] = []
    while left and len(found) < MOST:
        tried = ["iso"] if any(re.match(ISO, text) for text in left) else []
        marks = {_marks(text) for text in left[:300]}
        tried += [each for each in PATTERNS if _marks(re.sub("%[a-zA-Z]", "", each)) in marks]
        if not tried:
            break
        best = max(tried, key=lambda each: sum(_reads(left[:300], each, dialect)))
        read = _reads(left, best, dialect)
        if not any(read):
            break
        found.append(best)
        left = [text for text, known in zip(left, read, strict=True) if not known]
    doubts = _doubts(sorted(set(texts)), found, dialect) if found else []
    return tuple(found), 1.0 - len(left) / total, doubts


def _marks(text: str) -> frozenset[str]:
    """What parts a time's numbers and words: formats with other marks need not be tried."""
    return frozenset(mark for mark in text if not mark.isalnum() and mark != "+")


def _compact(texts: list[str]) -> bool:
    """20260131 is a day, not an epoch."""
    return all(re.fullmatch(r"(19|20)\d\d[01]\d[0-3]\d", text) for text in texts)


def _reads(texts: list[str], name: str, dialect: Dialect) -> list[bool]:
    if name == "iso" or name in EPOCHS:
        values, _ = moments(pa.array(texts), [name], dialect)
        return values.is_valid().to_pylist()
    return pd.to_datetime(pd.Series(texts), format=name, errors="coerce").notna().tolist()


def _doubts(texts: list[str], found: list[str], dialect: Dialect) -> list[str]:
    told = []
    for name in found:
        swapped = name.translate(str.maketrans("dm", "md"))
        if swapped == name or "%d" not in name or "%m" not in name or "%Y%m%d" in name:
            continue
        here, there = _reads(texts, name, dialect), _reads(texts, swapped, dialect)
        both = sum(a and b for a, b in zip(here, there, strict=True))
        if swapped in found and name < swapped:
            told.append(
                f"{both} different times can be read both as {name} and as {swapped}, and the log "
                f"holds times of which each is the only reading: they are read as {name}"
            )
        elif swapped not in found and any(here) and both == sum(here):
            told.append(f"every time reads both as {name} and as {swapped}: taken is {name}")
    return told
