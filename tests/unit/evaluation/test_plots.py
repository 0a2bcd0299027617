from __future__ import annotations

import io

import pytest
from matplotlib import pyplot

from nextbest.errors import DataError
from nextbest.evaluation.ope.estimators import value_of
from nextbest.evaluation.ope.log import LOGGING
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.plots import value_figure, weight_figure

pytestmark = pytest.mark.integration  # importing pyplot takes a second


def is_drawn(figure) -> bool:
    page = io.BytesIO()
    figure.savefig(page, format="png")
    return page.getvalue()[:8] == b"\x89PNG\r\n\x1a\n"


def test_values_are_drawn_in_the_order_given_with_their_intervals(bandit):
    moments = fold(bandit.draw(2000, seed=1))
    values = {
        "logging": value_of(moments, LOGGING, "on_policy"),
        "candidate": value_of(moments, "candidate", "dr"),
    }
    figure = value_figure(values)
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["logging (on_policy)", "candidate (dr)"]
    bars = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2]
    assert [list(bar) for bar in bars] == [[e.low, e.high] for e in values.values()]
    assert is_drawn(figure)


def test_the_weights_are_drawn_from_the_moments(bandit):
    moments = fold(bandit.draw(2000, seed=2))
    figure = weight_figure(moments, "candidate")
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 2000
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert (labels[0], labels[-1]) == ("1/8", "4")
    assert "effective sample" in figure.axes[0].get_title()
    assert is_drawn(figure)


def test_there_must_be_something_to_draw(bandit):
    with pytest.raises(DataError, match="no policy to draw"):
        value_figure({})
    with pytest.raises(DataError, match="the log is empty"):
        weight_figure(fold(bandit.draw(0, seed=3)), "candidate")


def test_pyplot_keeps_none_of_the_figures(bandit):
    weight_figure(fold(bandit.draw(100, seed=4)), "candidate")
    assert pyplot.get_fignums() == []
