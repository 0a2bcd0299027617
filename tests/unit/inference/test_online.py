import datetime as dt

import pytest

from nextbest.errors import DataError
from nextbest.inference.online import answer

pytestmark = pytest.mark.unit

TOLD = {"as_of": dt.date(2026, 1, 31), "seed": 5, "use_case": "nba", "model_version": "7"}
RECORD = {
    "customer_id": "c-1", "eligible": ["none", "a:email"],
    "x": None, "visits": 3, "segment": "s1", "consent": True, "margin": 20.0,
}  # fmt: skip


def test_one_record(decider):
    (found,) = answer([RECORD], decider, **TOLD)
    assert found["treatment"] in RECORD["eligible"]
    assert found["decision_id"].startswith("nba-20260131-")
    assert answer([RECORD], decider, **TOLD) == [found]
    assert answer([], decider, **TOLD) == []


def test_records_that_lack_fields_are_named(decider):
    short = {name: value for name, value in RECORD.items() if name not in ("x", "eligible")}
    with pytest.raises(DataError, match="record 1 lacks eligible, x"):
        answer([RECORD, short], decider, **TOLD)


def test_context_must_have_a_weight_for_every_treatment(decider):
    weights = [1.0] * len(decider.treatments)
    (plain,), (same,) = (
        answer([record], decider, **TOLD) for record in (RECORD, {**RECORD, "context": weights})
    )
    assert plain == same
    with pytest.raises(DataError, match="record 1 lacks context"):
        answer([{**RECORD, "context": weights}, RECORD], decider, **TOLD)
    with pytest.raises(DataError, match="record 0 has 2 weights in context, not one for each of 9"):
        answer([{**RECORD, "context": [1.0, 2.0]}], decider, **TOLD)


def test_what_cannot_be_decided_is_refused(decider):
    with pytest.raises(DataError, match="no eligible treatment"):
        answer([{**RECORD, "eligible": []}], decider, **TOLD)
    with pytest.raises(DataError, match="not in the actions table: z:fax"):
        answer([{**RECORD, "eligible": ["z:fax"]}], decider, **TOLD)
    with pytest.raises(DataError, match="score is not a finite number"):
        answer([{**RECORD, "margin": None}], decider, **TOLD)
