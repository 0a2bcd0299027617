"""Pictures of an evaluation; each is a matplotlib Figure of its own, without pyplot's state."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nextbest.errors import DataError
from nextbest.evaluation.ope.diagnostics import diagnose, weight_histogram
from nextbest.evaluation.ope.estimators import Estimate
from nextbest.evaluation.ope.moments import Moments

INK, ACCENT = "#444444", "#0b6e99"


def value_figure(values: Mapping[str, Estimate], *, unit: str = "value per decision") -> Figure:
    """The value of policies with their intervals, one row each, in the order given.

    values: by label, as {"logging": …, "candidate": …, "champion": …, "control": …}.
    Raises DataError when there is none.
    """
    if not values:
        raise DataError("value_figure: no policy to draw")
    figure = _figure(height=0.9 + 0.5 * len(values))
    axes = figure.subplots()
    for place, estimate in enumerate(values.values()):
        axes.plot([estimate.low, estimate.high], [place, place], color=ACCENT, linewidth=2.5)
        axes.plot([estimate.value], [place], "o", color=ACCENT, markersize=7)
        axes.annotate(
            f"{estimate.value:.4g}",
            (estimate.value, place),
            textcoords="offset points",
            xytext=(0, 8),
            ha="center",
            fontsize=8,
            color=INK,
        )
    labels = [f"{label} ({estimate.name})" for label, estimate in values.items()]
    axes.set_yticks(range(len(values)), labels)
    axes.set_ylim(len(values) - 0.4, -0.7)
    axes.set_xlabel(unit)
    axes.grid(axis="x", alpha=0.3)
    _plain(figure)
    return figure


def weight_figure(moments: Moments, policy: str) -> Figure:
    """How many decisions have which weight, on a doubling scale, with the diagnostics above.

    Raises DataError as `diagnose` does.
    """
    facts = diagnose(moments, policy)
    lows, counts = weight_histogram(moments, policy)
    labels = ["0", f"<{Fraction(lows[2])}", *(str(Fraction(low)) for low in lows[2:])]
    used = np.flatnonzero(counts)
    shown = slice(used[0], used[-1] + 1)
    figure = _figure(height=3.0)
    axes = figure.subplots()
    axes.bar(range(len(counts[shown])), counts[shown], width=0.9, color=ACCENT)
    axes.set_xticks(range(len(counts[shown])), labels[shown], fontsize=8)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_xlabel(f"weight π/p of {policy}, from")
    axes.set_ylabel("decisions")
    axes.set_title(
        f"effective sample {facts.ess:,.0f} of {facts.n:,} · mean weight {facts.mean_weight:.3f} · "
        f"largest {facts.max_weight:,.1f}",
        fontsize=9,
        color=INK,
    )
    _plain(figure)
    return figure


def _figure(*, height: float) -> Figure:
    figure = Figure(figsize=(7.0, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _plain(figure: Figure) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK)
