"""A page for the person on call: is it drift, what is being done, what moved, and how it looks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from types import MappingProxyType

import pandas as pd

from nextbest.monitoring.assessment import Assessment
from nextbest.monitoring.history import by_day
from nextbest.monitoring.metric_series import quality_section
from nextbest.monitoring.page_style import document, key, link, number, table
from nextbest.monitoring.report_causes import causes_section
from nextbest.monitoring.report_columns import (
    Sides,
    columns_section,
    measured_slices,
    slice_section,
)
from nextbest.monitoring.schemas import ALL_MODELS, TABLE
from nextbest.monitoring.verdict import Verdict, measured

COLOURS = (("now", "now"), ("base", "baseline"), ("prev", "window before"), ("bad", "threshold"))
# Comfort only: finding a column by its name, and opening the one that a link points to.
SCRIPT = """
const find=document.getElementById("find"),cols=[...document.querySelectorAll(".col")];
find.parentElement.hidden=false;find.addEventListener("input",()=>{const text=
find.value.toLowerCase();for(const col of cols)col.hidden=!col.dataset.name.includes(text)});
const jump=()=>{const to=document.getElementById(decodeURIComponent(location.hash.slice(1)));
if(to&&to.tagName==="DETAILS"){to.open=true;to.scrollIntoView()}};
addEventListener("hashchange",jump);jump();
"""


NOTHING: Mapping = MappingProxyType({})


@dataclass(frozen=True)
class Response:
    """Something that is being done about it: in words, since when, and where to look."""

    text: str
    at: dt.datetime | None = None
    address: str | None = None


@dataclass(frozen=True, eq=False)
class Seen:
    """What was measured; frames have the documented columns and `day` (text, the window's start).

    drift: drift_metrics of the days until the page's own, all models; slices of that day only.
    profile: profile_metrics of the same days (log_type INPUT): each column of the day and of the
    window before it, ":table" of all days. baseline: those with log_type BASELINE. decisions: some
    of the day's decisions, for `dbb explain`; its column decision_id comes first. came: what came
    of decisions, shaped as the ":table" rows of profile.
    """

    drift: pd.DataFrame
    profile: pd.DataFrame
    baseline: pd.DataFrame
    decisions: pd.DataFrame = field(default_factory=pd.DataFrame)
    came: pd.DataFrame = field(default_factory=pd.DataFrame)


def page(
    day: dt.date,
    verdict: Verdict,
    seen: Seen,
    *,
    threshold: float,
    responses: Sequence[Response] = (),
    links: Mapping[str, str | None] = NOTHING,
    model_id: str = "model_version",
    explained_by: str = "dbb explain {} --local",
    assessment: Assessment | None = None,
) -> str:
    """One self-contained HTML page about the window that starts on `day`.

    links: where the page leads, by words (None: told without a link); explained_by: the command
    that explains a decision, {} in the place of its id; assessment: what the verdict is part of.
    Columns that the verdict names come first. Everything that came from data is escaped; nothing
    is loaded from elsewhere, and without JavaScript only the search for a column is missing.
    """
    today = day.isoformat()
    days = sorted({*seen.drift.get("day", ()), *seen.profile.get("day", ()), today})
    days = [each for each in days if each <= today]
    whole, sliced = _parts(seen.drift, today, model_id)
    profiles = _profiles(seen, days, model_id)
    named = {found.column: found for found in verdict.findings}
    columns = [name for name in dict.fromkeys([*named, *profiles]) if name != TABLE]
    now = whole[whole["day"] == today] if len(whole) else whole
    others = measured(now, [name for name in columns if name not in named], threshold, len(columns))
    past = by_day(whole, days, threshold)
    slices = measured_slices(sliced, threshold)
    shown = columns_section([*verdict.findings, *others], named, profiles, past, now, slices)
    body = (
        f'<nav aria-label="Pages">{_links(links)}</nav><h1>Monitoring, {today}</h1>'
        f'<p class="verdict {"drift" if verdict.drifted else "calm"}">{escape(verdict.text)}</p>'
        f"{_responses(responses, verdict)}"
        f"{causes_section(assessment) if assessment else ''}"
        f"{_facts(profiles, columns, verdict, whole, seen, model_id)}"
        f"{quality_section(seen.came, days, model_id, of='What came of the decisions')}"
        '<h2 id="columns">Columns, most drifted first</h2><p class="dim key">'
        f"{key(COLOURS)}</p>"
        '<p hidden><input id="find" type="search" placeholder="find a column" '
        f'aria-label="find a column"></p>{shown or _nothing("No column was compared.")}'
        f"{slice_section(slices)}"
        f"{quality_section(seen.profile, days, model_id)}"
        f"{_decisions(seen.decisions, explained_by)}"
    )
    return document(f"{today}: {verdict.text}", body, SCRIPT)


def _parts(
    drift: pd.DataFrame, today: str, model_id: str
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Rows of all models together: without a slice, and today's by slice."""
    if drift.empty:
        return drift, drift
    everyone = drift[drift[model_id] == ALL_MODELS]
    sliced = everyone["slice_key"].notna()
    return everyone[~sliced], everyone[sliced & (everyone["day"] == today)]


def _profiles(seen: Seen, days: Sequence[str], model_id: str) -> dict[str, Sides]:
    """Of each column the profile now, in the window before and at baseline."""
    today = days[-1]
    before = max((d for d in seen.profile.get("day", ()) if d < today and d in days), default="")
    now, prev, base = {}, {}, {}
    for found, rows in (
        (now, seen.profile[seen.profile["day"] == today] if len(seen.profile) else seen.profile),
        (prev, seen.profile[seen.profile["day"] == before] if before else seen.profile.head(0)),
        (base, seen.baseline),
    ):
        if len(rows):
            whole = rows[(rows[model_id] == ALL_MODELS) & rows["slice_key"].isna()]
            found.update({row["column_name"]: row for row in whole.to_dict("records")})
    names = dict.fromkeys([*now, *base])
    return {n: Sides(now.get(n, {}), prev.get(n, {}), base.get(n, {})) for n in names}


def _links(links: Mapping[str, str | None]) -> str:
    return "".join(
        link(words, address) if address else f'<span class="dim">{escape(words)} </span>'
        for words, address in links.items()
    )


def _responses(responses: Sequence[Response], verdict: Verdict) -> str:
    told = "".join(
        f"<li>{link(each.text, each.address)}"
        f"{f' <span class=dim>{each.at:%Y-%m-%d %H:%M} UTC</span>' if each.at else ''}</li>"
        for each in responses
    )
    nothing = "Nothing needs doing." if not verdict.drifted else "Nothing has been started yet."
    return f"<h2>What is being done</h2>{f'<ul>{told}</ul>' if told else _nothing(nothing)}"


def _facts(
    profiles: Mapping[str, Sides], columns: Sequence[str], verdict: Verdict, whole: pd.DataFrame,
    seen: Seen, model_id: str,
) -> str:  # fmt: skip
    whole_table = profiles.get(TABLE, Sides())
    count, before = whole_table.now.get("count"), whole_table.prev.get("count")
    told = "decisions" if not before else f"decisions ({number(before)} the window before)"
    versions = sorted({str(each) for each in seen.profile.get(model_id, ())} - {ALL_MODELS})
    facts = [
        (number(count) if count else "no rows", told if count else "were profiled"),
        (str(len(verdict.findings)), f"of {len(columns)} columns moved or are not computable"),
        (", ".join(versions) or "–", "model versions that decided"),
        (str(whole["day"].nunique() if len(whole) else 0), "days of history"),
    ]
    cells = "".join(f"<li><b>{escape(a)}</b><span>{escape(b)}</span></li>" for a, b in facts)
    return f'<ul class="facts">{cells}</ul>'


def _decisions(decisions: pd.DataFrame, explained_by: str) -> str:
    """Some of the day's decisions, each with the command that explains it."""
    if decisions.empty:
        return ""
    names = list(decisions.columns)
    rows = [
        [number(v) if isinstance(v, float) else escape(str(v)) for v in row]
        + [f"<code>{escape(explained_by.format(row[0]))}</code>"]
        for row in decisions.itertuples(index=False, name=None)
    ]
    heads = (*(escape(name.replace("_", " ")) for name in names), "why")
    return (
        '<h2 id="decisions">Some of the day’s decisions</h2>'
        + table(heads, rows, texts=len(heads))
        + '<p class="dim">Add <code>-t TARGET</code> for another target than the default one.</p>'
    )


def _nothing(told: str) -> str:
    return f'<p class="dim">{escape(told)}</p>'
