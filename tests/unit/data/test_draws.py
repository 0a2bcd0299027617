from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nextbest.data.draws import normal, text_keys, uniform

pytestmark = pytest.mark.unit


@given(
    seed=st.integers(0, 2**40),
    keys=st.lists(st.integers(0, 2**62), min_size=1, max_size=20, unique=True),
    data=st.data(),
)
def test_a_draw_depends_on_its_key_alone(seed, keys, data):
    order = data.draw(st.permutations(range(len(keys))))
    keys = np.array(keys)
    whole = uniform(seed, "s", np.array([3]), keys)
    np.testing.assert_array_equal(uniform(seed, "s", np.array([3]), keys[order]), whole[order])
    np.testing.assert_array_equal(uniform(seed, "s", np.array([3]), keys[:1]), whole[:1])


def test_seed_stream_and_each_key_change_the_draw():
    day, who = np.arange(5)[:, None], np.arange(4)
    draws = [uniform(1, "a", day, who), uniform(2, "a", day, who), uniform(1, "b", day, who)]
    assert draws[0].shape == (5, 4)
    assert len(np.unique(np.stack(draws))) == 60


def test_draws_are_uniform_and_uncorrelated_over_neighbouring_keys():
    grid = uniform(7, "grid", np.arange(300)[:, None], np.arange(300))
    assert 0 < grid.min() < 1e-3
    assert 1 > grid.max() > 1 - 1e-3
    assert stats.kstest(grid.ravel(), "uniform").pvalue > 1e-3
    for shifted in (grid[1:], grid[:, 1:]):
        same = grid[: shifted.shape[0], : shifted.shape[1]]
        assert abs(np.corrcoef(same.ravel(), shifted.ravel())[0, 1]) < 4 / 300
    assert stats.kstest(normal(7, "grid", np.arange(50_000)), "norm").pvalue > 1e-3


def test_text_keys_do_not_depend_on_company():
    texts = pd.Series(["a", "b", "a", "decision-17"])
    keys = text_keys(texts)
    assert keys[0] == keys[2] != keys[1]
    np.testing.assert_array_equal(text_keys(texts[3:]), keys[3:])
