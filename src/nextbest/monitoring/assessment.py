"""All that is known of a day at nine in the morning: verdict, causes, risk and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from nextbest.evaluation.concept import Concept
from nextbest.monitoring.causes import Advice, Cause, advice_on, likely_causes
from nextbest.monitoring.risk import Risk, model_risk
from nextbest.monitoring.verdict import Drifted, Verdict

CONCEPT = "concept"


@dataclass(frozen=True)
class Assessment:
    """The verdict with what outcomes say, why, how much is at stake, and what is best done.

    concept: what outcomes say; None while there is none that has matured.
    """

    verdict: Verdict
    causes: tuple[Cause, ...]
    risk: Risk
    advice: Advice
    concept: Concept | None = None


def assess(
    drift: Verdict,
    rows: pd.DataFrame,
    leans: Mapping[str, float],
    concept: Concept | None,
    guardrails: Sequence[Drifted],
    age_days: int,
) -> Assessment:
    """Put together what columns, outcomes and guardrails say of a day.

    drift: of `judge_drift`; rows: the day's BASELINE rows of drift_metrics; leans: of `leaning`;
    guardrails: of `broken_guardrails`. Each of the three alone is enough for drift.
    """
    others = tuple(guardrails)
    if concept is not None and concept.moved:
        others = (Drifted("outcomes", CONCEPT, concept.ratio, 1.0, 0.0, concept.moved), *others)
    past = {each.column: _times(each) for each in drift.findings}
    causes = likely_causes(past, rows, leans, concept, guardrails)
    text = drift.text
    if others:
        told = "; ".join(each.words for each in others)
        text = f"Drift: {told}; {drift.text.removeprefix('No drift: ').removeprefix('Drift: ')}"
    verdict = replace(drift, drifted=drift.drifted or bool(others), text=text, others=others)
    risk = model_risk(past, leans, causes, concept, age_days)
    return Assessment(verdict, causes, risk, advice_on(causes), concept)


def _times(found: Drifted) -> float:
    return math.nan if math.isnan(found.value) else found.value / found.threshold
