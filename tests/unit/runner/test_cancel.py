"""Stopping everything below."""

from __future__ import annotations

import time
from multiprocessing.connection import wait

import pytest

from nextbest.runner.cancel import Cancel

pytestmark = pytest.mark.unit


def readable(cancel):
    return bool(wait([cancel], 0))


def test_stops_what_is_below_and_not_what_is_above():
    with Cancel() as top, Cancel(top) as left, Cancel(top) as right, Cancel(left) as deep:
        left.set("TIMEDOUT", "too long")
        left.set("CANCELED", "later")
        assert [c.is_set() for c in (top, left, right, deep)] == [False, True, False, True]
        assert [readable(c) for c in (top, left, right, deep)] == [False, True, False, True]
        assert (deep.state, deep.reason) == ("TIMEDOUT", "too long")
        with Cancel(left) as late:
            assert late.is_set()
        top.set("CANCELED", "stopped")
        assert (right.state, left.state) == ("CANCELED", "TIMEDOUT")


def test_wait_wakes_up():
    with Cancel() as cancel:
        assert not cancel.wait(0.01)
        cancel.set("CANCELED", "x")
        began = time.monotonic()
        assert cancel.wait(60)
        assert time.monotonic() - began < 5
