from __future__ import annotations

import pytest

from nextbest.errors import DataError
from nextbest.evaluation.attempting import attempt, had

pytestmark = pytest.mark.unit


class Strange(Exception):
    """Of a library that nobody here knows."""


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, KeyError, MemoryError, Strange])
def test_any_exception_becomes_a_measurement(error):
    def fails():
        raise error("why")

    found = attempt(fails)
    assert isinstance(found, DataError)
    assert str(found).startswith(f"{error.__name__}: ")
    with pytest.raises(DataError, match="why"):
        had(found)


def test_our_own_errors_stay_as_they_are():
    error = DataError("no rows")

    def fails():
        raise error

    assert attempt(fails) is error


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_who_ends_the_program_ends_it(error):
    def ends():
        raise error

    with pytest.raises(error):
        attempt(ends)


def test_a_result_is_a_result():
    assert attempt(lambda: 0.5) == had(0.5) == 0.5
    assert attempt(lambda: None) is None
