"""A comparison of two versions on the terminal, short or in detail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nextbest.evaluation.comparison.planning import WORTHWHILE
from nextbest.evaluation.comparison.power import POWER

if TYPE_CHECKING:
    from nextbest.evaluation.comparison.measures import Compared
    from nextbest.lifecycle.comparing import Comparison, Part

FIRST_COLUMNS = ("", "first", "second", "difference", "interval", "p", "")


def as_text(found: Comparison, *, detailed: bool, advice: bool) -> str:
    """Both versions, a table per set of decisions, and the recommendation where it is asked for."""
    lines = [
        f"first   {found.first.text}",
        f"second  {found.second.text}",
        f"difference: second less first, {found.confidence:.0%} intervals; p corrected for the "
        "number of tests",
    ]
    for part in found.parts:
        lines += ["", *_part(part, found.confidence, detailed)]
    if advice or detailed:
        lines += ["", f"recommendation: {found.recommendation.action}"]
        lines += [f"  - {reason}" for reason in found.recommendation.reasons]
    return "\n".join(lines)


def verdict(each: Compared, confidence: float) -> str:
    """better, worse or nothing: what is shown of the second version."""
    if not each.different(confidence):
        return ""
    return "better" if each.gain > 0 else "worse"


def table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> list[str]:
    """Rows under a head: the first column to the left, all others to the right."""
    whole = [tuple(head), *map(tuple, rows)]
    widths = [max(len(row[at]) for row in whole) for at in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in whole
    ]


def _part(part: Part, confidence: float, detailed: bool) -> Iterator[str]:
    first, last = part.days
    yield (
        f"{part.name}: {part.decisions:,} decisions about {part.customers:,} customers, {first} to "
        f"{last}"
    )
    if part.note:
        yield f"  {part.note}"
    rows = [
        (each.name, f"{each.first:.4g}", f"{each.second:.4g}", f"{each.difference.value:+.4g}",
         f"[{each.difference.low:+.4g}, {each.difference.high:+.4g}]",
         f"{each.test.p_value if each.adjusted is None else each.adjusted:.3g}",
         verdict(each, confidence))
        for each in part.compared
    ]  # fmt: skip
    yield from (f"  {line}" for line in table(rows, FIRST_COLUMNS))
    yield from (f"  not told: {each.name}: {each.reason}" for each in part.failed)
    agree = part.agreement
    yield (
        f"  they prefer the same treatment in {agree.share:.1%} of decisions (kappa "
        f"{agree.kappa:.2f}); drawn at random, at least {agree.apart:.1%} come out differently"
    )
    if part.plan is not None:
        plan = part.plan
        yield (
            f"  a lift of {WORTHWHILE:.0%} ({plan.worthwhile:.4g}) would have been seen with a "
            f"chance of {plan.power:.0%}; the least that is seen with {POWER:.0%}: "
            f"{plan.detectable:.4g}"
        )
        yield f"  an A/B test of that 10% lift would need {_count(plan.arm)} decisions in each arm"
    differ = [each for each in part.slices if each.compared.different(confidence)]
    if not detailed:
        if part.slices:
            yield f"  slices: {len(differ)} of {len(part.slices)} differ (--format detailed)"
        return
    yield from _details(part, confidence)


def _details(part: Part, confidence: float) -> Iterator[str]:
    if part.plan is not None:
        plan = part.plan
        yield (
            f"  {_count(plan.needed)} decisions held out would give the 10% lift a chance of "
            f"{POWER:.0%}; an A/B test of the lift found here: {_count(plan.arm_of_found)} in each "
            "arm"
        )
    yield "  tests, each with its effect; what is indented nothing hangs on"
    for each in part.compared:
        kind, size = each.effect
        yield (
            f"    {each.name}: {each.test.name} {each.test.statistic:.4g}, "
            f"p {each.test.p_value:.3g}; {kind} {size:+.3g}"
        )
        yield from (
            f"      {test.name} {test.statistic:.4g}, p {test.p_value:.3g}" for test in each.checks
        )
        if each.also is not None:
            yield f"      BCa bootstrap [{each.also.low:+.4g}, {each.also.high:+.4g}]"
    yield from _slices(part, confidence)
    for title, frame in (
        ("second prefers instead of first", part.exchanges),
        ("furthest apart", part.segments),
        ("decisions that both would make most differently", part.extremes),
    ):
        if len(frame):
            yield f"  {title}"
            text = frame.to_string(index=False, float_format=lambda x: f"{x:.4g}")
            yield from (f"    {line}" for line in text.splitlines())


def _slices(part: Part, confidence: float) -> Iterator[str]:
    """Every slice by the measure that decides, and by others where they differ."""
    lead = part.compared[0].name if part.compared else ""
    rows = [
        (f"{each.attribute} {each.segment}", each.compared.name, f"{each.compared.n:,}",
         f"{each.compared.difference.value:+.4g}",
         f"[{each.compared.difference.low:+.4g}, {each.compared.difference.high:+.4g}]",
         f"{each.compared.adjusted:.3g}", verdict(each.compared, confidence))
        for each in part.slices
        if each.compared.name == lead or each.compared.different(confidence)
    ]  # fmt: skip
    if rows:
        yield "  slices (p by Benjamini and Hochberg), other measures where they differ"
        head = ("", "", "n", "difference", "interval", "p", "")
        yield from (f"    {line}" for line in table(rows, head))
    if part.thin:
        one = part.thin[0]
        yield f"  not told of {len(part.thin)} slices, such as {one.name}: {one.reason}"


def _count(number: int | None) -> str:
    return "no number of" if number is None else f"{number:,}"
