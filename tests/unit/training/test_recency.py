import numpy as np
import pytest
from scipy.special import expit

from nextbest.training.recency import recent_shift

pytestmark = pytest.mark.integration

SIZES = (4, 3)


def world(seed, per_day=2500, days=40, changed=0):
    """A log whose logits are known; of the last `changed` days action 0 turned against x."""
    rng = np.random.default_rng(seed)
    n = per_day * days
    age = np.repeat(np.arange(days)[::-1], per_day)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 5))])
    codes = np.column_stack([rng.integers(0, size, n) for size in SIZES])
    known = -3 + 0.5 * design[:, 1] * (codes[:, 0] == 0) + 0.2 * design[:, 2]
    now = np.where((codes[:, 0] == 0), -1.0, 0.0) * design[:, 1]
    outcome = (rng.random(n) < expit(known + now * (age < changed))).astype(float)
    return design, codes, outcome, known, age


@pytest.mark.parametrize(("changed", "found"), [(3, -0.43), (7, -1.0), (20, -0.8)])
def test_what_changed_is_found_where_it_changed(changed, found):
    design, codes, outcome, known, age = world(1, changed=changed)
    shift, _ = recent_shift(design, codes, outcome, known, age, SIZES)
    turned = shift.coefficients(np.array([0, 1]), np.array([0, 0]))
    assert turned[0, 1] == pytest.approx(found, abs=0.25)
    assert abs(turned[1, 1]) < 0.2


def test_how_sure_a_correction_is_tells_where_the_truth_may_be():
    """Of action 0's slope, which turned by -1: off by a standard deviation, not by three."""
    off = []
    for seed in range(15):
        design, codes, outcome, known, age = world(seed, per_day=4000, days=10, changed=7)
        shift, (unsure,) = recent_shift(design, codes, outcome, known, age, SIZES, spans=(7,))
        for channel in range(SIZES[1]):
            found = shift.coefficients(np.array([0]), np.array([channel]))[0, 1]
            off.append((found + 1.0) / np.linalg.norm(unsure[0, channel][1]))
    assert 0.6 < np.sqrt(np.mean(np.square(off))) < 1.5


def test_in_a_steady_world_hardly_anything_is_shifted():
    moved = []
    for seed in range(8):
        design, codes, outcome, known, age = world(seed, per_day=1000)
        shift, _ = recent_shift(design, codes, outcome, known, age, SIZES)
        each = np.einsum("np,np->n", design, shift.coefficients(codes[:, 0], codes[:, 1]))
        moved.append(np.sqrt((each**2).mean()))  # logits
    assert np.median(moved) == 0.0
    assert np.mean(moved) < 0.06


def test_a_steady_world_is_seldom_corrected():
    """Half of the rows foretells the other half a little better in two of five steady worlds."""
    corrected = 0
    for seed in range(40):
        design, codes, outcome, known, age = world(seed, per_day=300)
        corrected += bool(recent_shift(design, codes, outcome, known, age, SIZES)[1])
    assert corrected <= 6


def test_few_rows_correct_nothing():
    design, codes, outcome, known, age = world(3, per_day=40, days=40, changed=7)
    outcome[age < 28] = 0.0
    shift, unsure = recent_shift(design, codes, outcome, known, age, SIZES)
    assert not unsure
    assert not shift.base.any()
    assert not shift.action.any()
