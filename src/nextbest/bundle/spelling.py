"""Which known name a wrong one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST_SLIPS = 2  # letters wrong, missing, too many or swapped; no more than one in four


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The only known name so near that no other can have been meant, or None.

    Two that are equally near are none: a machine that writes files must not guess. Case, `_` and
    `-` don't count, so `maxRetries` is `max_retries`.
    """
    plain = _plain(name)
    most = min(MOST_SLIPS, max(len(plain) // 4, 1))
    slips = sorted((_slips(plain, _plain(other)), other) for other in set(known) - {name})
    if not slips or len(plain) < 2 or slips[0][0] > most:
        return None
    return slips[0][1] if len(slips) == 1 or slips[0][0] < slips[1][0] else None


def similar(name: str, known: Sequence[str]) -> str | None:
    """A known name that a reader may look at; it need not be the one that was meant."""
    import difflib  # only for findings: keeps the start quick

    return next(iter(difflib.get_close_matches(name, known, n=1)), None)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _slips(one: str, other: str) -> int:
    """Optimal string alignment distance: letters to change, add, leave out or swap.

    A lower bound, the difference of the lengths, is enough where it is above MOST_SLIPS.
    """
    if abs(len(one) - len(other)) > MOST_SLIPS:
        return abs(len(one) - len(other))
    above: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        before, above, row = above, row, [i]
        for j, another in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != another))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == another:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]
