"""What a rule's parts become: SQL with a kind, and what was found wrong on the way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """A piece of a rule: its SQL, its kind, and whether it is arithmetic that may be NaN."""

    sql: str
    kind: str  # a key of TYPES; null; or unknown, when it already is a problem
    computed: bool = False


@dataclass(frozen=True)
class Place:
    """Where a reading is: position in the text from 1, levels and CASEs that it is within."""

    position: int
    levels: int = 0
    cases: int = 0


@dataclass
class Reading:
    """What is known of the columns, and what was found on the way."""

    columns: Mapping[str, str]
    day: dt.date
    problems: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def refuse(self, problem: str, place: Place) -> Part:
        """Note a problem with its position."""
        self.problems.append(f"{problem} at position {place.position}")
        return UNKNOWN


UNKNOWN = Part("NULL", "unknown")
TYPES = {
    "number": "DOUBLE",
    "text": "STRING",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
KINDS = {"string": "text", "boolean": "boolean", "date": "date", "timestamp": "timestamp"}


def balanced(terms: Sequence[str], operator: str) -> str:
    """Terms joined as a shallow tree."""
    while len(terms) > 1:
        pairs = [terms[at : at + 2] for at in range(0, len(terms), 2)]
        terms = [f"({f' {operator} '.join(pair)})" for pair in pairs]
    return terms[0]


def any_of(conditions: Sequence[str]) -> str:
    """Whether one of the conditions is true, never null."""
    return balanced([f"COALESCE({each}, false)" for each in dict.fromkeys(conditions)], "OR")


def settled(part: Part, reading: Reading) -> Part:
    """A computed number as others use it: what is no number is null, and a fault."""
    if not part.computed:
        return part
    reading.faults.append(f"isnan({part.sql})")
    return Part(f"nanvl({part.sql}, CAST(NULL AS DOUBLE))", part.kind)


def wanted(part: Part, kind: str, place: Place, reading: Reading) -> Part:
    """A part that must be of this kind."""
    part = part if kind == "number" else settled(part, reading)
    if part.kind == kind or part.kind == "unknown":
        return part
    return reading.refuse(f"{a(part.kind)} where {a(kind)} is needed", place)


def alike(
    parts: Sequence[Part], place: Place, reading: Reading, nulls: bool = False
) -> tuple[list[str], str]:
    """The SQL of parts that must be of one kind (`nulls`: or NULL), and the kind."""
    parts = [settled(part, reading) for part in parts]
    kinds = list(dict.fromkeys(part.kind for part in parts))
    known = [kind for kind in kinds if kind not in ("null", "unknown")]
    if len(known) > 1:
        reading.refuse(f"{' and '.join(map(a, known))} together", place)
    if "null" in kinds and not nulls:
        reading.refuse("a comparison with NULL, which is never true: use IS NULL,", place)
    kind = known[0] if len(known) == 1 else "unknown" if known or "unknown" in kinds else "null"
    nothing = f"CAST(NULL AS {TYPES.get(kind, 'STRING')})"
    return [nothing if part.kind == "null" else part.sql for part in parts], kind


def a(kind: str) -> str:
    """A kind as a sentence names it."""
    return {"null": "NULL", "boolean": "true or false", "text": "text"}.get(kind, f"a {kind}")


def sql_text(text: str) -> str:
    """A text as a literal that both engines read alike."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
