import numpy as np
import pytest

from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError

pytestmark = pytest.mark.unit


def test_order_does_not_depend_on_the_rows(actions):
    one = Treatments.from_frame(actions)
    other = Treatments.from_frame(actions.sample(frac=1, random_state=1))
    assert one.names == other.names == tuple(sorted(actions["treatment"]))
    assert (one.cost == other.cost).all()
    assert one.cost[one.index(["upgrade:sms"])] == 0.04
    assert one.is_none.tolist() == [name == "none" for name in one.names]


def test_arrays_are_read_only(treatments):
    with pytest.raises(ValueError, match="read-only"):
        treatments.cost[0] = 1.0


def test_mask_from_lists_and_arrays(treatments):
    mask = treatments.mask([["none"], np.array(["upgrade:sms", "none"], dtype=object), []])
    assert mask.sum(axis=1).tolist() == [1, 2, 0]
    assert mask[1, treatments.index(["upgrade:sms"])[0]]
    assert treatments.mask([]).shape == (0, 5)


def test_unknown_and_missing_names_are_refused(treatments):
    with pytest.raises(DataError, match="1 treatments are not in the actions table: gone:sms"):
        treatments.mask([["none", "gone:sms"]])
    with pytest.raises(DataError, match="eligible is missing in 1 of 2 rows"):
        treatments.mask([["none"], None])


def test_everything_wrong_is_reported_together(actions):
    actions.loc[1, "value"] = float("nan")
    actions.loc[2, "cost"] = -1.0
    actions.loc[3, "treatment"] = "roaming:sms"
    actions.loc[4, "lever"] = 11.0
    with pytest.raises(DataError) as refused:
        Treatments.from_frame(actions)
    for words in (
        "value of upgrade:sms is not a finite number",
        "cost of upgrade:email is not a finite number of at least 0",
        "several rows for roaming:sms",
        "lever of roaming:sms is not a finite number between 0 and 10",
        "must be called 'roaming:email'",
    ):
        assert words in str(refused.value)


def test_empty_and_incomplete_tables_are_refused(actions):
    with pytest.raises(DataError, match="no row"):
        Treatments.from_frame(actions[:0])
    with pytest.raises(DataError, match="columns cost, lever are missing"):
        Treatments.from_frame(actions.drop(columns=["cost", "lever"]))


def test_none_is_known_by_its_place(actions, treatments):
    assert treatments.names[treatments.none] == "none"
    assert Treatments.from_frame(actions[actions["treatment"] != "none"]).none is None
