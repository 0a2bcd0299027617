"""Flags that several subcommands have."""

from __future__ import annotations

import pytest

from nextbest.bundle.flags import parse_variables
from nextbest.errors import UsageError

pytestmark = pytest.mark.unit


def test_parse_variables():
    assert parse_variables(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(
        UsageError, match="'a' is not of the form name=value; '=b' is not .*'c' is given"
    ):
        parse_variables(["a", "=b", "c=1", "c=2"])
