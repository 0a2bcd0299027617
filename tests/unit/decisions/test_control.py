import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.decisions.control import ELIGIBILITY_ONLY, POLICY, RANDOM, control_groups
from nextbest.decisions.randomness import uniforms

pytestmark = pytest.mark.unit

IDS = np.array([f"c-{n}" for n in range(2_000)], dtype=object)
SHARE = st.floats(0, 0.5)


@given(SHARE, SHARE, SHARE, SHARE)
def test_members_stay_when_shares_grow(random, more_random, only, more_only):
    few = control_groups(IDS, "s", min(random, more_random), min(only, more_only))
    many = control_groups(IDS, "s", max(random, more_random), max(only, more_only))
    assert (many[few != POLICY] == few[few != POLICY]).all()
    assert (few[:10] == control_groups(IDS[:10], "s", *sorted((random, more_random))[:1],
                                       min(only, more_only))).all()  # fmt: skip


@given(SHARE, SHARE)
def test_everybody_joins_at_the_same_rate(random, only):
    groups = control_groups(IDS, "s", random, only)
    for newcomers in (slice(0, 1_000), slice(1_000, None)):
        for group, share in ((RANDOM, random), (ELIGIBILITY_ONLY, only)):
            assert abs((groups[newcomers] == group).mean() - share) < 5 * np.sqrt(0.25 / 1_000)


def test_no_share_no_member_and_all_of_them():
    assert (control_groups(IDS, "s", 0.0, 0.0) == POLICY).all()
    assert (control_groups(IDS, "s", 1.0, 0.0) == RANDOM).all()
    assert (control_groups(IDS, "s", 0.0, 1.0) == ELIGIBILITY_ONLY).all()
    assert set(control_groups(IDS, "s", 0.5, 0.5)) == {RANDOM, ELIGIBILITY_ONLY}


def test_groups_are_independent_of_draws_and_salts():
    ids = np.array([f"c-{n}" for n in range(50_000)], dtype=object)
    member = control_groups(ids, "s", 0.5, 0.0)
    assert abs(np.corrcoef(member, control_groups(ids, "t", 0.5, 0.0))[0, 1]) < 0.02
    assert abs(np.corrcoef(member, uniforms(ids, 0))[0, 1]) < 0.02
