"""What a lookup says about itself is checked when it is made."""

from __future__ import annotations

import datetime as dt

import pytest

from nextbest.errors import DataError
from nextbest.platforms import Lookup

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"keys": ()}, "no keys"),
        ({"lookback": dt.timedelta(1)}, "needs a timestamp"),
        ({"timestamp": "t", "lookback": dt.timedelta(-1)}, "negative"),
        ({"renames": {"a": "b"}, "defaults": {"a": 1}}, "renamed to 'b'"),
        ({"features": ("a",), "defaults": {"c": 1}}, "none of a"),
    ],
)
def test_lookups_that_can_not_be_are_refused(given, told):
    with pytest.raises(DataError, match=f"lookup of t: .*{told}"):
        Lookup(**{"table": "t", "keys": ("k",), **given})
