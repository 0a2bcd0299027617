"""What a release needs of a platform: ledger, aliases, endpoints and who asks; no engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nextbest.platforms import Serving

INTENDED, DONE, ABANDONED = "intended", "done", "abandoned"
COMMIT = "NEXTBEST_GIT_COMMIT"  # variable by which a local run tells its tasks the commit
PROMOTE, FORCE, ROLL_BACK, FOUND = "promote", "force", "roll back", "found"


@dataclass(frozen=True)
class Step:
    """A row of the ledger: a change of an alias, before it (intended) or after (done, abandoned).

    sequence: 1, 2, … per model; both rows of a change have one `sequence` and `promotion_id`.
    previous_champion: what that alias shall hold after a change of the champion. as_of, holdout:
    of the verdict that is the evidence.
    """

    model: str
    sequence: int
    state: str
    promotion_id: str
    promoted_at: dt.datetime  # UTC
    promoted_by: str
    action: str  # promote | force | roll back | found: moved outside of the ledger
    version: str
    to_alias: str
    from_alias: str | None = None
    previous_version: str | None = None
    previous_champion: str | None = None
    reason: str = ""
    evidence: str = ""
    as_of: dt.date | None = None
    holdout: str | None = None
    commit: str | None = None


COLUMNS = tuple(field.name for field in fields(Step))
# As Delta has them; all else is text.
KINDS = {"sequence": "bigint", "promoted_at": "timestamp", "as_of": "date"}


class Ledger(Protocol):
    """The append-only table `promotions`.

    `append` adds a row unless the model has one for this sequence and half (before or after), and
    says whether the row that is there is this one: of several writers one is told so. `alone` keeps
    others out of a model for as long as it takes, where the platform can.
    """

    def steps(self, model: str | None) -> list[Step]: ...

    def append(self, step: Step) -> bool: ...

    def alone(self, model: str) -> AbstractContextManager[None]: ...


class Aliases(Protocol):
    """Aliases of registered models: all of a model, and one moved or (None) taken away.

    Raise PlatformError for an unknown model or version; `missing` tells what keeps a version from
    being used: it does not exist, was never finished, or its files are gone.
    """

    def of(self, model: str) -> Mapping[str, str]: ...

    def move(self, model: str, alias: str, version: str | None) -> None: ...

    def missing(self, model: str, version: str) -> str | None: ...


@dataclass(frozen=True)
class Releases:
    """The ports of a release, chosen once."""

    ledger: Ledger
    aliases: Aliases
    serving: Serving
    who: Callable[[], str]


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Rows as they came to be: by model and sequence, the intent first."""
    return sorted(steps, key=lambda each: (each.model, each.sequence, each.state != INTENDED))
