"""In which formats a column's times are written."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from nextbest.data.own_log.files import Dialect
from nextbest.data.own_log.values import ISO, moments

MOST, SOME = 5, 300  # formats of one column; texts that all of them are tried on
_DAYS = [f"{a}{s}{b}{s}{y}" for s in "/.-" for a, b in (("%d", "%m"), ("%m", "%d"))
         for y in ("%Y", "%y")]  # fmt: skip
_DAYS += ["%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
          "%d%b%Y", "%Y%m%d"]  # fmt: skip
_HOURS = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p",
          ", %H:%M", ", %H:%M:%S"]  # fmt: skip
PATTERNS = [day + hour for hour in _HOURS for day in _DAYS]
PATTERNS += ["%Y%m%d%H%M%S", "%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %z", "%Y%m%dT%H%M%S"]
_RANGES = {"epoch_s": (1e8, 4.2e9), "epoch_ms": (1e11, 4.2e12), "epoch_us": (1e14, 4.2e15),
           "epoch_ns": (1e17, 4.2e18)}  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?")
_MAYBE = re.compile(r"\d")


@dataclass(frozen=True)
class Formats:
    """The formats that read some texts, the commonest first, and the share that they read.

    `torn` says, if it is so, that days and months stand in both orders; `doubts` what else to know.
    """

    names: tuple[str, ...] = ()
    share: float = 0.0
    doubts: tuple[str, ...] = ()
    torn: str | None = None


def formats_of(texts: list[str], dialect: Dialect) -> Formats:
    """In which formats these texts are times, if they are.

    Numbers alone are epochs when all lie between 1973 and 2100. Day and month are told apart by
    texts that can be read one way only; when there is none, or both ways are needed, it is told.
    """
    different = sorted({text for text in texts if text})
    if not different or not all(_MAYBE.search(text) for text in different[:50]):
        return Formats()
    if (epochs := _epochs(different)) is not None:
        return epochs
    if any("." in text for text in different) and all(map(_NUMBER.fullmatch, different)):
        return Formats()  # no pattern reads decimals, and trying them all takes its time
    left, found = different, []
    while left and len(found) < MOST:
        some = pd.Series(left).sample(min(SOME, len(left)), random_state=0).tolist()
        tried = ["iso"] if any(re.match(ISO, text) for text in some) else []
        marks = {_marks(text) for text in some}
        tried += [each for each in PATTERNS if _marks(re.sub("%[a-zA-Z]", "", each)) in marks]
        read = {each: sum(_reads(some, each, dialect)) for each in tried}
        most = max(read.values(), default=0)
        # What some texts leave open, all of them may tell.
        whole = {each: _reads(left, each, dialect) for each in tried if read[each] >= most > 0}
        best = max(whole, key=lambda each, whole=whole: sum(whole[each]), default=None)
        if best is None or not any(whole[best]):
            break
        found.append(best)
        left = [text for text, known in zip(left, whole[best], strict=True) if not known]
    doubts, torn = _doubts(different, found, dialect)
    return Formats(tuple(found), 1.0 - len(left) / len(different), tuple(doubts), torn)


def _epochs(texts: list[str]) -> Formats | None:
    count = pd.to_numeric(pd.Series(texts), errors="coerce")
    if count.isna().any() or _compact(texts):
        return None
    inside = {name: count.between(*ends) for name, ends in _RANGES.items()}
    names = tuple(name for name, there in inside.items() if there.any())
    if not names or not sum(inside.values()).all():
        return None
    doubts = (f"its numbers are of several units: {', '.join(names)}",) if len(names) > 1 else ()
    return Formats(names, 1.0, doubts)


def _marks(text: str) -> frozenset[str]:
    """What parts a time's numbers and words: formats with other marks need not be tried."""
    return frozenset(mark for mark in text if not mark.isalnum() and mark != "+")


def _compact(texts: list[str]) -> bool:
    """20260131 is a day, not an epoch."""
    return all(re.fullmatch(r"(19|20)\d\d[01]\d[0-3]\d", text) for text in texts)


def _reads(texts: list[str], name: str, dialect: Dialect) -> list[bool]:
    values, _ = moments(pa.array(texts, pa.string()), [name], dialect)
    return values.is_valid().to_pylist()


def _doubts(texts: list[str], found: list[str], dialect: Dialect) -> tuple[list[str], str | None]:
    told, torn = [], None
    for name in found:
        swapped = name.translate(str.maketrans("dm", "md"))
        if swapped == name or "%d" not in name or "%m" not in name or "%Y%m%d" in name:
            continue
        here, there = _reads(texts, name, dialect), _reads(texts, swapped, dialect)
        both = sum(a and b for a, b in zip(here, there, strict=True))
        if swapped in found and name < swapped:
            torn = (
                f"some times can be read as {name} only and some as {swapped} only, and {both} "
                "different ones both ways: which is right can't be told, so write one format"
            )
        elif swapped not in found and any(here) and both == sum(here):
            told.append(f"every time reads both as {name} and as {swapped}: taken is {name}")
    return told, torn
