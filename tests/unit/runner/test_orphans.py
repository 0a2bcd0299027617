"""Nothing that a task started outlives it, also when it dies while we look."""

import pytest

from nextbest.runner.orphans import living_below

pytestmark = pytest.mark.unit


def test_what_stands_below_a_dead_process_is_found():
    server, task, own_session, other = 10, 20, 30, 40
    tree = {
        server: (1, True),
        task: (server, False),  # killed, not yet waited for
        own_session: (task, True),  # seen before it was handed on to the server
        other: (1, True),
    }
    assert living_below([task], tree) == {own_session}
    assert living_below([server], tree) == {server, own_session}
    assert living_below([99], tree) == set()
