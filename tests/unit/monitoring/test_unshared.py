"""More than 1,000 categories: replaced ones are seen, chance is not, bounds stay below."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextbest.monitoring import statistics
from nextbest.monitoring.drift import distances
from nextbest.monitoring.sketches import category_sketch, merged
from nextbest.monitoring.statistics import Counts
from nextbest.monitoring.stored import from_bytes, to_bytes
from nextbest.monitoring.verdict import judge_drift, matching

pytestmark = pytest.mark.unit
ROWS = 100_000
JS_LIMIT = matching(0.2)


def codes(random, rows, names, first=0, *, skew=0.0):
    """Codes of `names` names from `first` on; `skew`: the n-th is as frequent as 1/n^skew."""
    chances = np.arange(1, names + 1.0) ** -skew
    return first + random.choice(names, rows, p=chances / chances.sum())


def sketch(numbers, parts=1):
    """As it is stored and added up."""
    several = [category_sketch(pa.array(part.astype(str)), "string")
               for part in np.array_split(numbers, parts)]  # fmt: skip
    return merged([from_bytes(to_bytes(part)) for part in several], "code")


def exact(now, base):
    """The statistics of the codes themselves."""
    counts = [Counts(pd.Series(side).value_counts().to_dict()) for side in (now, base)]
    p, q = (pd.Series(each.items) for each in counts)
    both = pd.concat([p, q], axis=1).fillna(0).to_numpy().T
    p, q = both / both.sum(axis=1, keepdims=True)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        js = sum(np.nansum(side * np.log2(side / middle)) for side in (p, q)) / 2
    table = both.sum(axis=0) * np.array([[side.sum()] for side in both]) / both.sum()
    return {
        "js_distance": math.sqrt(max(js, 0)), "tv_distance": np.abs(p - q).sum() / 2,
        "l_infinity_distance": np.abs(p - q).max(), "chi": np.sum((both - table) ** 2 / table),
    }  # fmt: skip


def drifted(found):
    row = {"column_name": "code", "drift_type": "BASELINE", "slice_key": None,
           "population_stability_index": None, **found}  # fmt: skip
    return judge_drift(pd.DataFrame([row]), ["code"], 0.2).drifted


@pytest.mark.parametrize("names", [5_000, 50_000])
@pytest.mark.parametrize(("replaced", "least"), [(1.0, 0.7), (0.5, 0.45)])
def test_replaced_codes_are_seen(names, replaced, least):
    random = np.random.default_rng(names)
    base = codes(random, ROWS, names)
    now = codes(random, ROWS, names, round(names * replaced))
    for parts in (1, 7):
        found = distances(sketch(now, parts), sketch(base, parts))
        assert least < found["js_distance"] <= exact(now, base)["js_distance"]
        assert found["tv_distance"] > 0.2
        assert drifted(found)


@pytest.mark.parametrize("names", [1_500, 5_000, 50_000, 10**9])
@pytest.mark.parametrize(("rows", "of"), [(ROWS, ROWS), (5_000, ROWS)])
def test_the_same_codes_are_quiet(names, rows, of):
    random = np.random.default_rng(names + rows)
    draw = (lambda n: random.integers(0, names, n)) if names > ROWS else (
        lambda n: codes(random, n, names, skew=0.5))  # fmt: skip
    base = sketch(draw(of))
    for _ in range(5):
        found = distances(sketch(draw(rows)), base)
        assert not drifted(found)
        if rows == ROWS:  # of few rows, 256 buckets alone are apart by chance
            assert found["js_distance"] < JS_LIMIT / 2


@settings(max_examples=25)
@given(
    st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 1.0, 1.5]), st.floats(0, 1),
    st.sampled_from([3_000, 20_000]), st.sampled_from([2_000, 20_000]),
)  # fmt: skip
def test_distances_stay_below_the_exact_ones(seed, skew, replaced, rows, names):
    random = np.random.default_rng(seed)
    base = codes(random, 20_000, names, skew=skew)
    now = codes(random, rows, names, round(names * replaced), skew=skew)
    now[: rows // 10] = 7  # frequent names, too
    found, true = distances(sketch(now), sketch(base)), exact(now, base)
    for name in ("js_distance", "tv_distance", "l_infinity_distance"):
        assert found[name] <= true[name] + 1e-9
    # One in 700 estimates is too large, which these examples are not; buckets never are.
    assert found["chi_squared_test"]["statistic"] <= true["chi"] * (1 + 1e-9)


def test_the_largest_gap_is_told_but_for_what_was_given_up():
    random = np.random.default_rng(1)
    base = codes(random, ROWS, 5_000)
    now = codes(random, ROWS, 5_000)
    now[: ROWS // 5] = 4_321
    found, true = distances(sketch(now), sketch(base)), exact(now, base)
    assert true["l_infinity_distance"] - 2 / 1001 <= found["l_infinity_distance"]
    assert found["l_infinity_distance"] <= true["l_infinity_distance"]


def test_a_sketch_of_an_earlier_version_is_read_without_a_sample():
    random = np.random.default_rng(2)
    new = sketch(codes(random, 20_000, 5_000))
    old = from_bytes(to_bytes(type(new)(**{**vars(new), "sampled": None})))
    assert old.sampled is None
    assert merged([old, new], "code").sampled is None
    counts = [Counts({str(at): int(n) for at, n in enumerate(side.items.hashed())})
              for side in (old, new)]  # fmt: skip
    found = distances(old, new)
    assert found["js_distance"] == statistics.jensen_shannon(*counts) == 0
