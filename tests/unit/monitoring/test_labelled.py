"""The quality of an inference log against scikit-learn, whole and added up from days."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from nextbest.errors import DataError
from nextbest.monitoring import labelled
from nextbest.monitoring.labelled import quality_of
from nextbest.monitoring.stored import quality_bytes, quality_from

pytestmark = pytest.mark.unit
NUMBERS = st.none() | st.integers(-50, 50).map(float) | st.just(math.nan) | st.floats(1e6, 2e6)
CLASSES = st.none() | st.sampled_from(["a", "b", "ü", ""])


def added_up(pairs, kind, cuts):
    """The quality of (prediction, label) rows, stored and added up by day."""
    edges = [0, *sorted(min(cut, len(pairs)) for cut in cuts), len(pairs)]
    days = []
    for start, end in zip(edges, edges[1:], strict=False):
        columns = [pa.chunked_array([pa.array([pair[side] for pair in pairs[start:end]], kind)])
                   for side in (0, 1)]  # fmt: skip
        days.append(quality_from(quality_bytes(quality_of(*columns))))
    return labelled.measured(labelled.merged(days))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=60), st.lists(st.integers(0, 60), max_size=3))
def test_errors_measure_as_scikit_learn_does(pairs, cuts):
    told = added_up(pairs, pa.float64(), cuts)
    known = [pair for pair in pairs if None not in pair and not np.isnan(pair).any()]
    if not known:
        assert told == {}
        return
    p, y = np.array(known).T
    expected = {
        "mean_squared_error": metrics.mean_squared_error(y, p),
        "root_mean_squared_error": metrics.root_mean_squared_error(y, p),
        "mean_average_error": metrics.mean_absolute_error(y, p),
        "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error(y, p),
        "r2_score": metrics.r2_score(y, p) if np.ptp(y) else None,
    }
    assert told == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.lists(st.tuples(CLASSES, CLASSES), max_size=60), st.lists(st.integers(0, 60), max_size=3))
def test_classes_measure_as_scikit_learn_does(pairs, cuts):
    told = added_up(pairs, pa.string(), cuts)
    known = [pair for pair in pairs if None not in pair]
    if not known:
        assert set(told.values()) == {None}
        return
    said, came = zip(*known, strict=True)
    assert told["accuracy_score"] == pytest.approx(metrics.accuracy_score(came, said))
    for average in ("macro", "weighted"):
        assert told["f1_score"][average] == pytest.approx(
            metrics.f1_score(came, said, average=average, zero_division=0)
        )
    for cell in told["confusion_matrix"]:
        assert cell["count"] == known.count((cell["prediction"], cell["label"]))


def test_infinite_predictions_have_no_error():
    told = labelled.measured(quality_of(*[pa.chunked_array([[1.0, each]]) for each in (9, np.inf)]))
    assert told["mean_squared_error"] is None


def test_what_has_too_many_classes_is_refused():
    many = pa.chunked_array([[str(at) for at in range(labelled.PAIRS + 1)]])
    with pytest.raises(DataError, match="10,001 different pairs.*regression"):
        quality_of(many, many)
