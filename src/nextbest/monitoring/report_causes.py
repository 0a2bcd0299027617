"""Of the day's page: why it drifted, how much is at stake, and what is best done."""

from __future__ import annotations

from html import escape

from nextbest.monitoring.assessment import Assessment
from nextbest.monitoring.page_style import number, table


def causes_section(seen: Assessment) -> str:
    """Advice, the likely causes (most likely first), the risk with its parts, what outcomes say."""
    why = "".join(
        f"<li><b>{escape(cause.kind)}</b> ({cause.weight:.0%}): {escape(cause.text)}</li>"
        for cause in seen.causes
    )
    told = f"<ol>{why}</ol>" if why else '<p class="dim">Nothing moved.</p>'
    parts = [
        [escape(name), f"{part:.0%}", escape(_PARTS[name])]
        for name, part in sorted(seen.risk.parts.items(), key=lambda each: -each[1])
    ]
    outcomes = ""  # what has moved is among the causes
    if seen.concept is None:
        outcomes = "No decision of this version has matured yet."
    elif not seen.concept.moved:
        outcomes = f"Outcomes: {seen.concept.text}."
    watched = ", ".join(f"{each.column} ({number(each.value)})" for each in seen.verdict.watched)
    also = f" Past the threshold in too few days to count: {watched}." if watched else ""
    return (
        '<h2 id="why">Why, most likely</h2>'
        f"<p><b>{escape(seen.advice.response)}</b>: {escape(seen.advice.why)}. "
        f'{escape(outcomes)}{escape(also)}</p>{told}{_otherwise(seen)}<h2 id="risk">Risk: '
        f"{seen.risk.score:.0f} of 100, {seen.risk.level}</h2>"
        f"{table(('part', 'risk by it alone', 'what it is'), parts, texts=3)}"
    )


def _otherwise(seen: Assessment) -> str:
    """Who answered otherwise than foretold: a table per treatment or feature that tells so."""
    mixes = seen.concept.otherwise if seen.concept is not None else ()
    heads = ("decisions", "answered", "foretold", "ratio")
    parts = [
        f"<details{' open' if at == 0 else ''}><summary>by {escape(mix.by)}</summary>"
        + table(
            heads,
            [
                [escape(name), f"{came:,.0f}", f"{expected:,.1f}", f"{came / expected:.2f}"]
                for name, came, expected in mix.cells
            ],
        )
        + "</details>"
        for at, mix in enumerate(mixes)
    ]
    if not parts:
        return ""
    return (
        '<h3 id="otherwise">Who answered otherwise than foretold</h3><p class="dim">What was '
        "foretold is scaled to the level of all; those furthest off come first.</p>"
        + "".join(parts)
    )


_PARTS = {
    "inputs": "features that the scores lean on have left the training window",
    "data": "a source looks broken",
    "outcomes": "what came of decisions contradicts the model, or too little has come",
    "age": "days since the version was judged; half the trust is gone after 90",
}
