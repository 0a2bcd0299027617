"""Outcomes whose obvious reading is wrong, and what is known only after them."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from own_logs import rows_of

from nextbest.cli import main

pytestmark = pytest.mark.integration


def test_what_nobody_hopes_for_is_no_reward(inspected):
    frame = rows_of().assign(unsubscribed=lambda f: 1 - f["clicked"], cost=0.1)
    _, told = inspected(frame)
    assert set(told["mapping"]["outcomes"]) == {"clicked"}
    assert any(each.startswith("unsubscribed: left out") for each in told["unsure"])
    code, told = inspected(frame.drop(columns="clicked"))
    assert code == 1
    assert any("nobody hopes for (unsubscribed)" in each for each in told["missing"])


def test_a_cost_is_never_a_reward(inspected):
    frame = rows_of().rename(columns={"clicked": "cost"})
    code, told = inspected(frame)
    assert code == 0
    assert told["mapping"]["outcomes"]["cost"]["reward"] == {"expression": "1 - `cost`"}
    code, told = inspected(frame.assign(cost=frame["cost"] * 7.5))
    assert code == 1
    assert any("cost is a cost, and there is no reward" in each for each in told["missing"])
    by_offer = frame.assign(cost=frame["offer"].map({"A": 0.0, "B": 0.5, "C": 1.0}))
    assert inspected(by_offer)[1]["mapping"]["outcomes"]["response"]["reward"] == "?"


def test_who_did_not_rate_has_not_said_no(inspected):
    stars = [None if k % 200 == 0 else 1 + k % 5 for k in range(1500)]
    code, told = inspected(rows_of().drop(columns="clicked").assign(stars=stars))
    assert told["mapping"]["outcomes"]["stars"]["reward"]["expression"] == (
        "CASE WHEN `stars` IS NOT NULL THEN IF(`stars` >= 3, 1, 0) END"
    )
    assert (code, told["reasons"]) == (0, {"outcomes.stars.reward is empty": 8})


def test_an_outcome_that_is_only_there_where_it_happened(tmp_path, capsys):
    lines = []
    for k in range(600):
        row = {"id": k, "ts": f"2026-01-{1 + k % 28:02d}", "user": {"id": k % 90},
               "offer": "ab"[k % 2], "p": 0.5}  # fmt: skip
        lines.append(json.dumps(row | ({"click": True} if k % 7 == 0 else {})))
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    assert main(["inspect-log", str(tmp_path / "log.jsonl"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["mapping"]["outcomes"]["click"]["reward"] == {"column": "click", "empty": "0"}
    assert told["mapping"]["decisions"]["customer_id"] == "user.id"


@pytest.mark.parametrize(
    "words", [("Y", "N"), ("ja", "nein"), ("SÍ", "NO"), ("oui", "non"), ("TRUE", "FALSE")]
)
def test_yes_and_no_of_several_languages(inspected, words):
    frame = rows_of().assign(clicked=lambda f: f["clicked"].map(partial(_said, words)))
    code, told = inspected(frame)
    assert (code, told["rejected"]) == (0, 0)
    assert set(told["mapping"]["outcomes"]) == {"clicked"}


def _said(words, number):
    return words[0] if number else words[1]


@pytest.mark.parametrize("refund", [False, True])
def test_what_is_there_only_where_an_outcome_is_came_after_it(inspected, refund):
    frame = rows_of().assign(clicked=lambda f: f.index % 4 == 0).assign(
        clicked=lambda f: f["clicked"].astype(int),
        revenue=lambda f: f["clicked"] * (20.5 + f.index % 9),
        payment_method=lambda f: np.where(f.index % 4, "", np.where(f.index % 8, "card", "cash")),
        items=lambda f: f["clicked"] * (1 + f.index % 3), age=lambda f: 20 + f.index % 41,
    )  # fmt: skip
    if refund:
        frame.loc[1, "revenue"] = -12.5
    code, told = inspected(frame)
    assert code == 0
    assert told["mapping"]["outcomes"]["clicked"]["value"] == {"column": "revenue", "empty": "0"}
    assert list(told["mapping"]["customers"]) == ["age"]
    for name in ("payment_method", "items"):
        assert f"{name}: is there only where clicked is, so it came after the decision" in (
            told["left_out"]
        )


@pytest.mark.parametrize("rate", [0.2, 0.7, 0.96])
def test_an_attribute_that_an_outcome_goes_with_stays_one(inspected, rate):
    draw = np.random.default_rng(4)
    loyal = draw.random(1500) < 0.02
    clicked = draw.random(1500) < np.where(loyal, min(1.25 * rate, 0.97), rate)
    _, told = inspected(rows_of().assign(clicked=clicked.astype(int), income=30 + loyal, vip=loyal))
    assert set(told["mapping"]["customers"]) == {"income", "vip"}


def test_what_is_named_like_what_came_after_is_no_attribute(inspected):
    names = ["duration", "dwell_ms", "play_time_ms", "time_spent", "is_follow", "long_view"]
    frame = rows_of(300)
    _, told = inspected(frame.assign(**dict.fromkeys(names, frame.index % 2 * 7)))
    assert told["left_out"] == [
        f"{n}: may have come after the decision, by its name" for n in names
    ]
