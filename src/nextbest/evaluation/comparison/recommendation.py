"""What to do with the second version, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nextbest.evaluation.comparison.agreement import Agreement
from nextbest.evaluation.comparison.judged import Slice
from nextbest.evaluation.comparison.measures import Compared
from nextbest.evaluation.comparison.planning import WORTHWHILE, Plan
from nextbest.evaluation.comparison.power import POWER

PROMOTE, KEEP, GATHER = "promote", "keep", "gather more evidence"


@dataclass(frozen=True)
class Recommendation:
    """promote the second version, keep the first, or gather more evidence; with the reasons."""

    action: str
    reasons: tuple[str, ...]


def recommend(
    compared: Sequence[Compared],
    slices: Sequence[Slice],
    plan: Plan | None,
    agreement: Agreement,
    doubts: Sequence[str],
    confidence: float = 0.95,
) -> Recommendation:
    """Promote only what is shown to be better, with nothing shown to be worse.

    compared: the first one decides, the others may object; doubts: why the evidence may not count,
    in words. Without a difference the first version stays, if a worthwhile one would have been
    seen; else more evidence is what is missing.
    """
    if not compared:
        return Recommendation(GATHER, ("nothing could be compared", *doubts))
    first, *others = compared
    told = _told(first, confidence)
    if agreement.share == 1 and agreement.apart == 0 and first.difference.value == 0:
        return Recommendation(KEEP, ("both decide alike in every decision: there is no choice",))
    if doubts:
        return Recommendation(GATHER, (*doubts, told))
    if first.different(confidence) and first.gain < 0:
        return Recommendation(KEEP, (told,))
    worse = [_told(each, confidence) for each in others
             if each.different(confidence) and each.gain < 0]  # fmt: skip
    losing = [
        f"{each.attribute} {each.segment} loses: {_told(each.compared, confidence)}"
        for each in slices
        if each.compared.metric == first.metric
        and each.compared.head == first.head
        and each.compared.different(confidence)
        and each.compared.gain < 0
    ]
    if first.different(confidence):
        if losing:
            return Recommendation(KEEP, (told, *losing, *worse))
        if worse:
            return Recommendation(GATHER, (told, *(f"but worse: {each}" for each in worse)))
        return Recommendation(PROMOTE, (told, "nothing else is shown to be worse"))
    reasons = (told, *(f"worse: {each}" for each in worse), *losing)
    if plan is None:
        return Recommendation(GATHER, (*reasons, "how much could have been seen is unknown"))
    seen = (
        f"a lift of {WORTHWHILE:.0%} ({plan.worthwhile:.4g}) would have been seen with a chance of "
        f"{plan.power:.0%}"
    )
    if plan.power >= POWER or worse or losing:
        return Recommendation(KEEP, (*reasons, seen))
    return Recommendation(GATHER, (*reasons, f"{seen} only", *_how_much(plan)))


def _how_much(plan: Plan) -> list[str]:
    told = []
    if plan.needed is not None:
        told.append(f"{plan.needed:,} decisions held out would give it {POWER:.0%}")
    if plan.arm is not None:
        told.append(f"an A/B test would need {plan.arm:,} decisions in each arm")
    return told


def _told(each: Compared, confidence: float) -> str:
    d, p = each.difference, each.test.p_value if each.adjusted is None else each.adjusted
    if not each.different(confidence):
        word = "no difference shown"
    else:
        word = "better" if each.gain > 0 else "worse"
    return (
        f"{each.name} {d.value:+.4g} [{d.low:+.4g}, {d.high:+.4g}], {each.test.name} p {p:.3g}: "
        f"{word}"
    )
