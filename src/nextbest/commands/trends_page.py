"""The page of `dbb trends`: metrics and durations over a model's versions, in one file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from nextbest.commands.trends import verdict_of
from nextbest.monitoring.metric_series import plots_of, words
from nextbest.monitoring.page_style import document, number, table

if TYPE_CHECKING:
    from nextbest.registry import VersionRun

FIRST = ("value", "lift", "training_seconds", "rows_learned")


def page(model: str, found: Sequence[VersionRun]) -> str:
    """The whole page; `found`: versions, oldest first. What came from MLflow is escaped."""
    names = dict.fromkeys([*FIRST, *sorted({name for run in found for name in run.metrics})])
    series = {
        name: [run.metrics.get(name, math.nan) for run in found]
        for name in names
        if any(name in run.metrics for run in found)
    }
    versions = [f"version {run.version}" for run in found]
    plots = "".join(plot for _, plot in plots_of(series, versions, "versions"))
    rows = [
        [
            escape(run.version), escape(run.tags.get("as_of", "–")), _verdict(run),
            escape(", ".join(run.aliases)), escape(run.tags.get("verdict", "–")),
            f"<code>{escape(run.run_id)}</code>", *(number(values[at]) for values in
                                                    series.values()),
        ]
        for at, run in enumerate(found)
    ]  # fmt: skip
    heads = ("version", "as of", "verdict", "aliases", "why", "MLflow run",
             *(escape(words(name)) for name in series))  # fmt: skip
    body = (
        f'<h1>Versions of {escape(model)}</h1><p class="dim">{len(found)} versions, '
        f"{found[0].started:%Y-%m-%d} to {found[-1].started:%Y-%m-%d}; costs in money: "
        '<code>dbb costs</code></p><h2>Over versions</h2><div class="body" '
        f'style="padding-left:0">{plots}</div><h2>Versions, newest first</h2>'
        f"{table(heads, rows[::-1], texts=6)}"
    )
    return document(f"versions of {model}", body)


def _verdict(run: VersionRun) -> str:
    told = verdict_of(run)
    mood = {"passed": "good", "refused": "bad"}.get(told, "dim")
    return f'<span class="{mood}">{told}</span>'
