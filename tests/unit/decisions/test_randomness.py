import numpy as np
import pytest
from scipy.stats import kstest

from nextbest.decisions.randomness import choose, uniforms

pytestmark = pytest.mark.unit


def test_uniforms_are_uniform_repeatable_and_differ_by_seed():
    ids = np.array([f"d-{n}" for n in range(50_000)], dtype=object)
    u = uniforms(ids, 1)
    assert kstest(u, "uniform").pvalue > 0.001
    assert u.min() >= 0
    assert u.max() < 1
    assert (u[::-1] == uniforms(ids[::-1], 1)).all()
    assert abs(np.corrcoef(u, uniforms(ids, 2))[0, 1]) < 0.02
    # The same in every process, release and machine: a logged seed must stay meaningful.
    assert uniforms(["d-0"], 1)[0] == pytest.approx(EXPECTED, abs=0)


EXPECTED = 0.10739103461713961


def test_the_inverse_cdf():
    p = np.array([[0.25, 0.0, 0.75]] * 4)
    assert choose(p, np.array([0.0, 0.2499, 0.25, 1 - 2.0**-53])).tolist() == [0, 0, 2, 2]
