"""Whatever is promoted and rolled back: the line of champions is a stack."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.platforms.releases import ABANDONED, DONE, INTENDED, ROLL_BACK, Step, in_order
from nextbest.registry.ledger import left, line, open_intent, refused, standing

pytestmark = pytest.mark.unit

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
DAY = START.date()


@given(st.lists(st.one_of(st.integers(1, 5), st.sampled_from(["back", "given up"])), max_size=30))
def test_the_line_is_a_stack(moves):
    steps, stack = [], []
    for sequence, move in enumerate(moves, 1):
        now = stack[-1] if stack else None
        if move == "back" and len(stack) < 2 or str(move) == now:
            continue
        to = stack[-2] if move == "back" else str(move)
        kept = (stack[-3] if len(stack) > 2 else None) if move == "back" else now
        intent = Step(
            "m", sequence, INTENDED, "p", START, "ada", ROLL_BACK if move == "back" else "promote",
            to, "champion", previous_version=now, previous_champion=kept,
        )  # fmt: skip
        given_up = move == "given up"
        steps += [intent, dataclasses.replace(intent, state=ABANDONED if given_up else DONE)]
        if move == "back":
            stack.pop()
        elif not given_up:
            stack.append(to)
    assert line(steps) == stack
    assert open_intent(steps) is None
    assert in_order(steps[::-1]) == steps
    told = standing(steps)
    if stack:
        before = stack[-2] if len(stack) > 1 else None
        assert (told["champion"], told["previous_champion"]) == (stack[-1], before)
    else:
        assert told == {}


def back(as_of, holdout="h1"):
    return Step(
        "m", 2, DONE, "p", START, "ada", ROLL_BACK, "1", "champion", previous_version="2",
        as_of=as_of, holdout=holdout, reason="calls",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "holdout", "no"),
    [(0, "h2", True), (1, "h1", True), (1, "h2", False), (-1, "h2", True)],
)
def test_what_was_rolled_back_takes_a_later_day_and_other_rows(days, holdout, no):
    told = refused([back(DAY)], "2", DAY + dt.timedelta(days), holdout)
    assert bool(told) == no
    assert refused([back(DAY)], "1", DAY, "h1") is None
    assert refused([], "2", DAY, "h1") is None


def test_promoted_again_it_was_not_left():
    again = dataclasses.replace(back(DAY), sequence=3, action="force", version="2",
                                previous_version="1")  # fmt: skip
    assert left([back(DAY)], "2") == back(DAY)
    assert left([back(DAY), again], "2") is None
