"""The timeline of a model's aliases as SVG, and a page of it that needs no other file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape

from nextbest.commands.history import changes, what
from nextbest.platforms.releases import DONE, FORCE, ROLL_BACK, Step
from nextbest.runner.page_style import document

WIDTH, LEFT, RIGHT, LANE, BAR = 1000, 92, 12, 54, 28
MARKS = {FORCE: "!", ROLL_BACK: "↩", "found": "?"}
_COLOURS = ("#1f6feb", "#1a7f5a", "#a23fb5", "#b35900", "#0f7b8a", "#c2255c", "#5b6675")
_STYLE = """
svg.line text{font:12px system-ui,sans-serif;fill:#5b6675}
svg.line text.on{fill:#fff;font-weight:600}
svg.line .grid{stroke:#8a94a3;stroke-opacity:.25}svg.line .mark{font-size:14px;font-weight:700}
svg.line .no{stroke:#cf222e;stroke-width:2.5}svg.line{display:block;width:100%;height:auto}
"""
_KEY = "↩ rolled back · ! by force, without evidence · ? moved outside of the ledger · ✕ given up"


def page(model: str, steps: Sequence[Step]) -> str:
    """The whole page; everything that came from outside is escaped."""
    found = changes(steps)
    head = ("when (UTC)", "by", "what", "alias", "from", "to", "evidence of", "commit", "why")
    rows = [
        (
            f"{s.promoted_at:%Y-%m-%d %H:%M:%S}", s.promoted_by, what(s), s.to_alias,
            s.previous_version or "none", s.version or "none",
            s.as_of.isoformat() if s.as_of else "", (s.commit or "")[:8], s.reason,
        )
        for s in reversed(found)
    ]  # fmt: skip
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows
    )
    heads = "".join(f"<th>{name}</th>" for name in head)
    drawn = f'{_svg(found)}<p class="soft">{_KEY}</p>' if found else ""
    table = f"<table><tr>{heads}</tr>{cells}</table>" if found else "<p>Nothing was promoted.</p>"
    return document(
        f"history · {model}",
        f"<style>{_STYLE}table{{width:100%}}.wide{{overflow-x:auto}}td:first-child{{white-space:nowrap}}</style>"
        f'<h1>{escape(model)}</h1><p class="soft">Who was champion when, and why</p>'
        f'{drawn}<div class="wide">{table}</div>',
    )


def picture(steps: Sequence[Step]) -> str:
    """The timeline alone, as a file of its own."""
    return _svg(changes(steps), f"<style>{_STYLE}</style>")


def _svg(found: Sequence[Step], style: str = "") -> str:
    """A lane for each alias, a bar for as long as a version had it, a mark where it was unusual."""
    lanes = [alias for alias in ("champion", "staging") if any(s.to_alias == alias for s in found)]
    height = LANE * len(lanes) + 34
    first = min((s.promoted_at for s in found), default=dt.datetime.now(dt.UTC))
    last = max((s.promoted_at for s in found), default=first)
    end = last + max((last - first) * 0.08, dt.timedelta(seconds=1))  # what is there now, goes on

    def x(at: dt.datetime) -> float:
        return LEFT + (at - first) / (end - first) * (WIDTH - LEFT - RIGHT)

    colour = {v: _COLOURS[at % len(_COLOURS)] for at, v in
              enumerate(dict.fromkeys(s.version for s in found if s.version))}  # fmt: skip
    parts = [_axis(first, end, x, LANE * len(lanes))]
    for at, alias in enumerate(lanes):
        y = LANE * at + 16
        parts.append(f'<text x="0" y="{y + BAR / 2 + 4}">{alias}</text>')
        mine = [s for s in found if s.to_alias == alias]
        done = [s for s in mine if s.state == DONE]
        for step, after in zip(done, [*done[1:], None], strict=True):
            if step.version:
                until = after.promoted_at if after else end
                parts.append(_bar(step, x(step.promoted_at), x(until), y, colour[step.version]))
        for step in (s for s in mine if s.state != DONE):
            left = x(step.promoted_at)
            parts.append(
                f"<g><title>{escape(_tip(step))}</title>"
                f'<path class="no" d="M{left - 5:.1f} {y - 12}l10 10m0 -10l-10 10"/></g>'
            )
    return (
        f'<svg class="line" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="timeline">{style}{"".join(parts)}</svg>'
    )


def _bar(step: Step, left: float, right: float, y: float, colour: str) -> str:
    wide = max(right - left - 1, 2)
    label = f"v{step.version}"
    inside = f'<text class="on" x="{left + 6:.1f}" y="{y + BAR / 2 + 4}">{label}</text>'
    mark = MARKS.get(step.action, "")
    return (
        f'<g><title>{escape(_tip(step))}</title><rect x="{left:.1f}" y="{y}" width="{wide:.1f}" '
        f'height="{BAR}" rx="3" fill="{colour}"/>{inside if wide > 9 * len(label) + 6 else ""}'
        f'<text class="mark" x="{left:.1f}" y="{y - 3}">{mark}</text></g>'
    )


def _axis(first: dt.datetime, end: dt.datetime, x, bottom: float) -> str:
    span = end - first
    shown = "%H:%M:%S" if span < dt.timedelta(hours=6) else (
        "%m-%d %H:%M" if span < dt.timedelta(days=6) else "%Y-%m-%d")  # fmt: skip
    ticks = [first + span * part / 5 for part in range(6)]
    return "".join(
        f'<path class="grid" d="M{x(at):.1f} 4V{bottom + 6}"/>'
        f'<text x="{x(at):.1f}" y="{bottom + 22}" '
        f'text-anchor="{"end" if at == ticks[-1] else "middle"}">{at:{shown}}</text>'
        for at in ticks
    )


def _tip(step: Step) -> str:
    return (
        f"version {step.version or 'none'} · {what(step)} · {step.promoted_at:%Y-%m-%d %H:%M:%S} "
        f"UTC · {step.promoted_by}{f' · {step.reason}' if step.reason else ''}"
    )
