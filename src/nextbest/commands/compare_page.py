"""The page of `dbb compare-models`: what differs, where, and what follows, in one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from nextbest.commands import compare_plots as plots
from nextbest.commands.compare_text import verdict
from nextbest.evaluation.comparison.measures import LOWER
from nextbest.evaluation.comparison.planning import WORTHWHILE
from nextbest.evaluation.comparison.power import POWER, paired_power
from nextbest.runner.page_style import document

if TYPE_CHECKING:
    from nextbest.evaluation.comparison.measures import Compared
    from nextbest.lifecycle.comparing import Comparison, Part

_STYLE = """
h2{font-size:1.2rem;margin:2.4rem 0 .2rem}h3{font-size:1rem;margin:1.6rem 0 .2rem}
table{width:100%}td.n,th.n{text-align:right}.wide{overflow-x:auto}
.facts{display:flex;flex-wrap:wrap;gap:.6rem 2.4rem;margin:1.2rem 0}
.facts b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.facts span{color:var(--soft);font-size:13px}
.advice{border-left:.3rem solid var(--warn);padding:.2rem .9rem;margin:1rem 0}
.advice.promote{border-color:var(--good)}.advice b{font-size:1.2rem}
td.better{color:var(--good)}td.worse{color:var(--bad)}
.versions i{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.4rem}
"""


def page(found: Comparison) -> str:
    """The whole page; everything that came from outside is escaped."""
    advice = found.recommendation
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in advice.reasons)
    parts = [
        f"<style>{plots.STYLE}{_STYLE}</style>",
        "<h1>Two versions on the same decisions</h1>",
        '<p class="versions">'
        f'<i style="background:var(--first)"></i>first: {escape(found.first.text)}<br>'
        f'<i style="background:var(--second)"></i>second: {escape(found.second.text)}</p>',
        f'<div class="advice {"promote" if advice.action == "promote" else ""}">'
        f"<b>{escape(advice.action)}</b><ul>{reasons}</ul></div>",
        f'<p class="soft">Differences are those of the second version less the first, with '
        f"{found.confidence:.0%} intervals; p is corrected for the number of tests: the first "
        "measure answers for itself, all others together (Holm), slices by Benjamini and "
        "Hochberg. Decisions before "
        f"{found.as_of}.</p>",
    ]
    for part in found.parts:
        parts += _part(part, found.confidence)
    title = f"{found.first.version} and {found.second.version} of {found.second.model}"
    return document(f"compare · {title}", "\n".join(parts))


def _part(part: Part, confidence: float) -> Iterator[str]:
    first, last = part.days
    yield f"<h2>{escape(part.name)}</h2>"
    yield (
        f'<p class="soft">{part.decisions:,} decisions about {part.customers:,} customers, {first} '
        f"to {last} · rows {part.digest} {escape(part.note)}</p>"
    )
    yield _facts(part)
    yield "<h3>Differences</h3>"
    yield plots.forest(
        "differences", [_bar(each, each.name, confidence) for each in part.compared], shared=False
    )
    yield '<p class="soft">Each row has a scale of its own.</p>'
    yield _measures(part, confidence)
    yield from (f'<p class="soft">Not told: {escape(each.name)}: {escape(each.reason)}</p>'
                for each in part.failed)  # fmt: skip
    yield from _slices(part, confidence)
    if part.curves:
        yield "<h3>Calibration of both</h3>"
        yield _key()
        curves = (plots.calibration(head, *both) for head, both in part.curves.items())
        yield f'<div class="curves">{"".join(curves)}</div>'
    yield from _disagreement(part)
    yield from _reach(part, confidence)


def _facts(part: Part) -> str:
    agree = part.agreement
    facts = [
        (f"{agree.share:.1%}", "of decisions: the same preference"),
        (f"{agree.kappa:.2f}", "kappa, agreement beyond chance"),
        (f"{agree.apart:.1%}", "come out differently when drawn, at least"),
    ]
    if part.plan is not None:
        facts.append((f"{part.plan.power:.0%}", f"chance to see a lift of {WORTHWHILE:.0%}"))
    told = "".join(f"<div><b>{much}</b><span>{what}</span></div>" for much, what in facts)
    return f'<div class="facts">{told}</div>'


def _bar(each: Compared, label: str, confidence: float) -> plots.Bar:
    d = each.difference
    kind = verdict(each, confidence) or "none"
    told = f"{d.value:+.4g} [{d.low:+.4g}, {d.high:+.4g}]"
    return plots.Bar(label, d.value, d.low, d.high, kind, each.better == LOWER, told)


def _measures(part: Part, confidence: float) -> str:
    rows = (
        [each.name, each.test.name, f"{each.n:,}", f"{each.first:.4g}", f"{each.second:.4g}",
         f"{each.difference.value:+.4g}", f"{each.adjusted:.3g}",
         f"{each.effect[0]} {each.effect[1]:+.3g}", verdict(each, confidence)]
        for each in part.compared
    )  # fmt: skip
    heads = ("n", "first", "second", "difference", "p", "effect", "")
    return _table(("measure", "test"), heads, rows)


def _slices(part: Part, confidence: float) -> Iterator[str]:
    lead = part.compared[0].name if part.compared else ""
    of_lead = [each for each in part.slices if each.compared.name == lead]
    if of_lead:
        yield f"<h3>{escape(lead)} by slice</h3>"
        yield plots.forest(
            f"{lead} by slice",
            [_bar(each.compared, f"{each.attribute} {each.segment}", confidence)
             for each in of_lead],
            shared=True,
        )  # fmt: skip
    others = [each for each in part.slices
              if each.compared.name != lead and each.compared.different(confidence)]  # fmt: skip
    if others:
        yield "<h3>Other measures that differ in a slice</h3>"
        rows = (
            [f"{each.attribute} {each.segment}", each.compared.name, f"{each.compared.n:,}",
             f"{each.compared.difference.value:+.4g}", f"{each.compared.adjusted:.3g}",
             verdict(each.compared, confidence)]
            for each in others
        )  # fmt: skip
        yield _table(("slice", "measure"), ("n", "difference", "p", ""), rows)
    if part.thin:
        names = ", ".join(each.name for each in part.thin[:8])
        more = " and others" if len(part.thin) > 8 else ""
        yield f'<p class="soft">Too thin to be told: {escape(names)}{more}.</p>'


def _disagreement(part: Part) -> Iterator[str]:
    yield "<h3>Where they part</h3>"
    if len(part.exchanges):
        yield '<p class="soft">What the second prefers instead of what</p>'
        yield plots.shares(
            "exchanges",
            [(f"{row.first} → {row.second}", row.share, f"{row.share:.1%} ({row.decisions:,})")
             for row in part.exchanges.itertuples()],
        )  # fmt: skip
    if len(part.segments):
        yield '<p class="soft">How far apart both distributions are, by segment</p>'
        yield plots.shares(
            "distance by segment",
            [(f"{row.attribute} {row.segment}", row.apart,
              f"{row.apart:.1%} apart, {row.disagreement:.1%} other preferences")
             for row in part.segments.itertuples()],
        )  # fmt: skip
    if len(part.extremes):
        yield '<p class="soft">Decisions that both would make most differently</p>'
        columns = list(part.extremes.columns)
        texts, numbers = columns[:-2], columns[-2:]
        rows = ([*(str(row[name]) for name in texts), *(f"{row[name]:.4g}" for name in numbers)]
                for row in part.extremes.to_dict("records"))  # fmt: skip
        yield _table(tuple(texts), tuple(numbers), rows)


def _reach(part: Part, confidence: float) -> Iterator[str]:
    plan = part.plan
    if plan is None or not plan.spread:
        return
    top = max(1.6 * plan.detectable, 1.2 * plan.worthwhile)
    lifts = np.linspace(0.0, top, 41)
    points = [(x, paired_power(x, plan.spread, plan.n, confidence)) for x in lifts]
    lift = f"a lift of {WORTHWHILE:.0%}"
    yield "<h3>What could have been seen</h3>"
    yield plots.power_curve(points, [
        (plan.worthwhile, lift),
        (plan.detectable, f"seen with {POWER:.0%}: {plan.detectable:.4g}"),
    ])  # fmt: skip
    counts = {
        f"decisions held out that would see {lift} with {POWER:.0%}": plan.needed,
        "decisions in each arm of an A/B test of that lift": plan.arm,
        "decisions in each arm of an A/B test of the difference found here": plan.arm_of_found,
    }
    rows = ([what, "no number would" if number is None else f"{number:,}"]
            for what, number in counts.items())  # fmt: skip
    yield _table(("",), ("",), rows)


def _key() -> str:
    return (
        '<p class="soft key"><span><i style="background:var(--first)"></i>first</span>'
        '<span><i style="background:var(--second)"></i>second</span></p>'
    )


def _table(texts: tuple[str, ...], numbers: tuple[str, ...], rows: Iterable[list[str]]) -> str:
    """A table whose last columns are numbers; a verdict is in its colour."""
    head = "".join(f"<th>{escape(name)}</th>" for name in texts)
    head += "".join(f'<th class="n">{escape(name)}</th>' for name in numbers)
    body = ""
    for row in rows:
        cells = [f"<td>{escape(cell)}</td>" for cell in row[: len(texts)]]
        cells += [f'<td class="n {cell if cell in ("better", "worse") else ""}">{escape(cell)}</td>'
                  for cell in row[len(texts) :]]  # fmt: skip
        body += f"<tr>{''.join(cells)}</tr>"
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>' if body else ""
