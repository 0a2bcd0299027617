"""Sums of what was foretold and what came: parts add up to the whole, nonsense is refused."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import DataError
from nextbest.evaluation.foretold import SUMS, Foretold, foretold

pytestmark = pytest.mark.unit


def drawn(seed, n=100):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.01, 0.6, n)
    y = (rng.random(n) < p).astype(float)
    return y, p, rng.choice(["tea", "mug", "cup"], n), rng.choice(["low", "high"], n)


def summed(y, p, actions, spends):
    return foretold(y, p, {"treatment": actions, "spend": pd.Categorical(spends)})


@given(st.integers(0, 10**6), st.integers(0, 100))
def test_sums_of_parts_are_those_of_the_whole(seed, cut):
    drawing = drawn(seed)
    whole = summed(*drawing)
    parts = summed(*(each[:cut] for each in drawing)) + summed(*(each[cut:] for each in drawing))
    numbers = [[getattr(of, name) for name in SUMS] for of in (parts, whole)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-12, abs=1e-9)
    for mix, cells in whole.mixes.items():
        assert parts.mixes[mix].keys() == cells.keys()
        for name, cell in cells.items():
            assert parts.mixes[mix][name] == pytest.approx(cell, rel=1e-12)


@given(st.integers(0, 10**6))
def test_each_mix_has_every_decision_once(seed):
    found = summed(*drawn(seed))
    for cells in found.mixes.values():
        totals = np.sum(list(cells.values()), axis=0)
        assert totals == pytest.approx([found.came, found.expected])


def test_nothing_adds_nothing_and_is_not_changed_by_it():
    some = summed(*drawn(1))
    kept = json.dumps(asdict(some))
    assert some + Foretold() == Foretold() + some == some
    assert json.dumps(asdict(some)) == kept


def test_cells_of_a_category_are_those_of_its_texts():
    y, p, actions, _ = drawn(2)
    assert foretold(y, p, {"a": actions}) == foretold(y, p, {"a": pd.Categorical(actions)})


@pytest.mark.parametrize(
    ("y", "p"), [([2.0], [0.5]), ([1.0], [1.0]), ([0.0], [np.nan]), ([0.0, 1.0], [0.5])]
)
def test_what_can_not_be_is_refused(y, p):
    with pytest.raises(DataError):
        foretold(y, p)
