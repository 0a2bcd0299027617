"""Which λ: the strongest shrinkage whose bias does not show yet (SLOPE), from the moments alone.

Su, Srinath and Krishnamurthy (2020), algorithm 1: order candidates from the least to the most
biased, with intervals that shrink along the way; take the last one whose value agrees with each
before it within w_i + (√6 − 1) w_j, where w are half widths. No candidate is refitted and no row
is read again: a grid of λ is a handful of further terms in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from nextbest.errors import DataError, SettingsError
from nextbest.evaluation.ope.estimators import value_of
from nextbest.evaluation.ope.moments import Moments
from nextbest.evaluation.ope.terms import Shrinkage

SLOPE = 6**0.5 - 1
NAMES = {"clip": "clipped_ips", "switch": "switch_dr", "optimistic": "dros", "subgaussian": "sg_dr"}
# Beside the fixed ones of SHRINKAGES, which are candidates, too.
STRENGTHS: Mapping[str, Sequence[float]] = {
    "clip": (100.0, 30.0, 3.0, 1.0),
    "switch": (100.0, 30.0, 10.0, 3.0, 1.0),
    "optimistic": (1e4, 1e3, 100.0, 20.0, 1.0),
    "subgaussian": (0.001, 0.01, 0.03, 0.3),
}


@dataclass(frozen=True)
class Choice:
    """The λ that SLOPE took for one way to shrink: the estimator's name, and all it chose from."""

    kind: str
    estimator: str
    strength: float
    candidates: tuple[Shrinkage, ...]


def grid(strengths: Mapping[str, Sequence[float]] = STRENGTHS) -> tuple[Shrinkage, ...]:
    """Shrinkages to choose from, named "<estimator>@<λ>"; give them to `fold` or `moments`.

    strengths: by kind, as in STRENGTHS. Raises SettingsError for an unknown kind and a λ out of
    range.
    """
    return tuple(
        Shrinkage(f"{NAMES.get(kind, kind)}@{strength:g}", kind, strength)
        for kind, some in strengths.items()
        for strength in some
    )


def choose(moments: Moments, policy: str, kind: str, *, confidence: float = 0.95) -> Choice:
    """SLOPE among the shrinkages of one kind that the moments hold.

    Half widths are normal ones of each estimator's own spread. Its interval by `value_of` stays as
    wide as that of dr (or ips), so to choose costs no coverage. Raises DataError when the moments
    hold none of this kind, and as `value_of` does.
    """
    if not 0 < confidence < 1:
        raise SettingsError(f"confidence is {confidence}; it must lie between 0 and 1, as .95 does")
    there = [s for s in moments.layout.estimators if s.kind == kind]
    if not there:
        raise DataError(f"no shrinkage of kind '{kind}' in these moments: fold them with grid()")
    # A larger λ is less biased, but for sub-Gaussian weights, where λ = 0 changes nothing.
    there.sort(key=lambda s: s.strength, reverse=kind != "subgaussian")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    found = [value_of(moments, policy, s.name, confidence=confidence) for s in there]
    widths = [z * estimate.standard_error for estimate in found]
    last = 0
    for i in range(1, len(there)):
        if all(
            abs(found[i].value - found[j].value) <= widths[i] + SLOPE * widths[j] for j in range(i)
        ):
            last = i
        else:
            break
    return Choice(kind, there[last].name, there[last].strength, tuple(there))


def choose_all(moments: Moments, policy: str, *, confidence: float = 0.95) -> dict[str, Choice]:
    """The choice of every kind of which the moments hold several strengths, by kind."""
    kinds = [s.kind for s in moments.layout.estimators]
    return {
        kind: choose(moments, policy, kind, confidence=confidence)
        for kind in dict.fromkeys(kinds)
        if kinds.count(kind) > 1
    }
