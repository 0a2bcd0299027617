"""Why it drifted, most likely first, and what is best done about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from nextbest.errors import DataError
from nextbest.evaluation.concept import Concept
from nextbest.monitoring.binning import numbers_of
from nextbest.monitoring.guardrails import CONTACTS, SAMPLE_RATIO, VOLUME
from nextbest.monitoring.verdict import Drifted

NULLS = 10.0  # percentage points more (or fewer) nulls than at training: a feed, not a customer
ZEROS = 30.0  # percentage points more zeros
PLAIN = 50.0  # so many of either are a fault beyond doubt; fewer may also be new customers
LEANT_ON = 0.01  # share of what explains the scores: below it a feature may move as it likes
ENOUGH = 0.1  # share of what explains the scores, of all that moved: below it training gains little
BINS = 20


@dataclass(frozen=True)
class Cause:
    """One explanation: its kind, its weight in [0, 1], the columns it is about, and in words."""

    kind: Literal["upstream data", "the world", "features", "scores", "features nobody leans on"]
    weight: float
    columns: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Advice:
    """What is best done, and why, in words."""

    response: Literal["none", "watch", "mend the data", "retrain"]
    why: str


def leaning(frame: pd.DataFrame, features: Sequence[str], score: str) -> dict[str, float]:
    """How much the scores lean on each feature: shares that add up to 1 (0 for scores that agree).

    frame: rows scored by the model, with its features. The share is that of the correlation ratio
    η² (Pearson 1905), the part of the score's variance between 20 bins of equal weight (or the 20
    commonest values of a category, missing being one, and all others: with a bin for each code,
    chance would explain): model-agnostic, one pass, blind to interactions.
    Raises DataError without rows or for a score that is no number.
    """
    scores = frame[score].to_numpy(dtype="float64", na_value=np.nan)
    if not len(frame) or not np.isfinite(scores).all():
        raise DataError(f"{score}: {len(frame)} rows, and not a finite number in each")
    found = {name: _explained(frame[name], scores) for name in features}
    whole = sum(found.values())
    return {name: value / whole if whole else 0.0 for name, value in found.items()}


def _explained(values: pd.Series, scores: np.ndarray) -> float:
    numbers = numbers_of(values)
    if numbers is not None:
        finite = numbers[np.isfinite(numbers)]
        cuts = np.unique(np.quantile(finite, np.arange(1, BINS) / BINS)) if len(finite) else []
        bins = np.where(np.isfinite(numbers), np.searchsorted(cuts, numbers), -1)
    else:
        bins = pd.factorize(values)[0] + 1  # 0: missing
        often = np.argsort(-np.bincount(bins), kind="stable")[:BINS]
        bins = np.where(np.isin(bins, often), bins, -1)
    _, place = np.unique(bins, return_inverse=True)
    count = np.bincount(place)
    mean = np.bincount(place, weights=scores) / count
    total = float(((scores - scores.mean()) ** 2).sum())
    return float(count @ (mean - scores.mean()) ** 2) / total if total else 0.0


def likely_causes(
    drifted: Mapping[str, float],
    rows: pd.DataFrame,
    leans: Mapping[str, float],
    concept: Concept | None,
    others: Sequence[Drifted] = (),
) -> tuple[Cause, ...]:
    """Explanations of a window's drift, most likely first.

    drifted: columns past their threshold → how many times past it (NaN: not computable); rows: the
    window's BASELINE rows of drift_metrics; leans: of `leaning`, columns that are no feature (the
    scores themselves) are left out of it; others: of the guardrails. A column whose share of nulls
    or zeros jumped, or that can't be computed, speaks of its source, as does a split into control
    and treated that isn't the one that was set, and an unusual number of decisions. A concept that
    moved, a loss and opt-outs speak of the world. Features that moved count by how much the model
    leans on them.
    """
    broken = _broken(drifted, rows)
    worlds = [concept.moved] if concept is not None and concept.moved else []
    mix = []
    for each in others:
        if each.statistic in (SAMPLE_RATIO, VOLUME) or math.isnan(each.value):
            broken[each.column] = 1.0, each.words
        elif each.statistic == CONTACTS:
            mix.append(each.words)
        else:
            worlds.append(each.words)
    moved = {name: past for name, past in drifted.items() if name in leans and name not in broken}
    leant = {name: leans[name] for name in moved if leans[name] >= LEANT_ON}
    idle = tuple(name for name in moved if name not in leant)
    found = []
    if broken:
        told = "; ".join(f"{name} {why}" for name, (_, why) in broken.items())
        weight = max(weight for weight, _ in broken.values())
        found.append(Cause("upstream data", weight, tuple(broken), told))
    if worlds:
        found.append(Cause("the world", 0.9, (), "; ".join(worlds)))
    if leant:
        order = sorted(leant, key=lambda name: -leant[name])
        told = ", ".join(
            f"{name} ({leant[name]:.0%} of what explains the scores)" for name in order
        )
        found.append(Cause("features", min(0.85, sum(leant.values())), tuple(order), told))
    scores = tuple(name for name in drifted if name not in leans and name not in broken)
    if scores:
        mix.insert(0, f"{', '.join(scores)} moved: other customers, or another mix of actions")
    if mix:
        found.append(Cause("scores", 0.4, scores, "; ".join(mix)))
    if idle:
        told = f"{', '.join(idle)}: the model hardly looks at {'it' if len(idle) == 1 else 'them'}"
        found.append(Cause("features nobody leans on", 0.05, idle, told))
    return tuple(sorted(found, key=lambda cause: -cause.weight))


def advice_on(causes: Sequence[Cause]) -> Advice:
    """What is best done about these causes.

    A model that learns from a broken feed learns the fault, so what is one beyond doubt (weight 1)
    is mended first. Features that together explain less of the scores than ENOUGH are watched:
    our own decisions move what counts contacts, and a training that gains nothing uses up the cap.
    """
    kinds = {cause.kind for cause in causes}
    if any(cause.kind == "upstream data" and cause.weight >= 1 for cause in causes):
        return Advice("mend the data", "a model that learns from a broken feed learns the fault")
    if "the world" in kinds:
        return Advice("retrain", "customers respond otherwise than the model foretells")
    leant = sum(cause.weight for cause in causes if cause.kind == "features")
    if leant >= ENOUGH:
        return Advice("retrain", "features that the model leans on have left the training window")
    if "upstream data" in kinds:
        return Advice("retrain", "a feature is known of fewer customers; look at its source, too")
    if "scores" in kinds:
        return Advice("retrain", "scores have left the training window")
    if kinds:
        return Advice("watch", f"what moved explains {leant:.0%} of the scores")
    return Advice("none", "nothing moved")


def _broken(
    drifted: Mapping[str, float], rows: pd.DataFrame
) -> dict[str, tuple[float, str]]:  # fmt: skip
    """Columns whose source may be broken: how surely, in (0, 1], and why."""
    found = {name: (1.0, "can't be computed") for name, past in drifted.items() if past != past}
    for row in rows.to_dict("records"):
        name = row["column_name"]
        for field, what, limit in (
            ("percent_null_delta", "nulls", NULLS), ("percent_zeros_delta", "zeros", ZEROS)
        ):  # fmt: skip
            delta = row.get(field)
            if name in drifted and delta is not None and abs(delta) >= limit:
                sure = 1.0 if abs(delta) >= PLAIN else abs(delta) / 100
                told = f"has {delta:+.0f} percentage points of {what}"
                found[name] = max(found.get(name, (0.0, "")), (sure, told))
    return found
