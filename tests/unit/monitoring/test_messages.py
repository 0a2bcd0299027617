"""What a message says of a day, and that its key tells of the findings alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math

import pytest

from nextbest.monitoring.alerts import KNOWN, NOTHING, RETRAIN, Response, raised
from nextbest.monitoring.causes import Cause
from nextbest.monitoring.messages import MOST_LINES, message, text_of
from nextbest.monitoring.verdict import NOT_COMPUTABLE, PSI, Drifted, Verdict

pytestmark = pytest.mark.unit

DAY = dt.date(2026, 3, 1)
CAUSES = (
    Cause("upstream data", 1.0, ("lost",), "lost can't be computed"),
    Cause("features", 0.4, ("mild",), "mild (40% of what explains the scores)"),
)
RESPONSE = Response(
    "m", DAY, "1", True, RETRAIN, "why", "verdict", "mend the data: it is broken", 81.234,
    json.dumps([dataclasses.asdict(cause) for cause in CAUSES]), "/pages/2026-03-01.html",
    "https://host/jobs/1/runs/2",
)  # fmt: skip


def alerts(past=(), day=DAY, **values):
    found = tuple(
        Drifted(name, NOT_COMPUTABLE if math.isnan(value) else PSI, value, 0.2)
        for name, value in values.items()
    )
    return raised(
        Verdict(True, found, "it says"), "m", "1", day, past=past, judged={DAY}, acknowledged=(),
        reminder_days=7,
    )  # fmt: skip


def test_one_message_holds_all_that_is_new_worst_first():
    found = alerts(alerts(old=0.3), DAY + dt.timedelta(days=1), old=0.3, mild=0.25, lost=math.nan)
    sent = message(found, RESPONSE)
    assert sent.severity == "critical"
    assert sent.title.endswith("critical, 2 of 3 findings are news")
    assert [line.split(":")[1] for line in sent.lines[:2]] == [" lost", " mild"]
    assert sent.lines[2] == "and 1 known already"
    assert sent.response == "retraining is started: why"
    assert message([each for each in found if each.told == KNOWN], RESPONSE) is None
    assert message(found[:2], RESPONSE).message_id != sent.message_id


def test_it_says_why_what_is_advised_how_bad_it_is_and_where_to_look():
    sent = message(alerts(lost=math.nan), RESPONSE)
    assert text_of(dataclasses.asdict(sent)).split("\n")[1:] == [
        "- critical, new: lost: its drift is not computable",
        "retraining is started: why",
        "why, most likely: upstream data: lost can't be computed",
        "advice: mend the data: it is broken",
        "risk: 81 of 100",
        "report: /pages/2026-03-01.html",
        "run: https://host/jobs/1/runs/2",
    ]
    assert json.loads(json.dumps(dataclasses.asdict(sent), default=str))["risk"] == 81.2


def test_how_a_finding_is_explained_changes_no_key():
    found = alerts(x=0.3)
    other = dataclasses.replace(RESPONSE, action=NOTHING, risk=1.0, causes="[]", report="/b")
    assert message(found, other).message_id == message(found, RESPONSE).message_id
    # As it was before messages said why: receivers know messages that are still open by it.
    assert message(found, RESPONSE).message_id == "634fda52f894a745"


@pytest.mark.parametrize("none", [None, math.nan])
def test_what_a_row_of_an_older_version_does_not_tell_is_left_out(none):
    older = dataclasses.replace(
        RESPONSE, advice=None, risk=none, causes=None, report=None, run=None
    )  # fmt: skip
    sent = dataclasses.asdict(message(alerts(x=0.3), older))
    assert text_of(sent).split("\n")[2:] == ["retraining is started: why"]
    json.dumps(sent, default=str, allow_nan=False)
    assert text_of({"title": "t", "lines": ["a", "b"], "response": "r"}) == "t\n- a\n- b\nr"


def test_a_thousand_findings_are_one_message_that_a_receiver_takes():
    names = {f"column {number:04}": 0.3 for number in range(1000)}
    cause = Cause("features", 0.4, tuple(names), ", ".join(names))
    response = dataclasses.replace(RESPONSE, causes=json.dumps([dataclasses.asdict(cause)]))
    sent = message(alerts(**names, worst=0.9), response)
    assert len(sent.lines) == MOST_LINES + 1
    assert "worst" in sent.lines[0]
    assert sent.lines[-1] == f"and {1001 - MOST_LINES} more that are new"
    assert sent.why.endswith("…")
    assert len(text_of(dataclasses.asdict(sent))) < 4000
