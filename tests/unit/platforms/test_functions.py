"""Python functions as the catalog keeps them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from nextbest.errors import DataError
from nextbest.platforms.functions import catalog_function

pytestmark = pytest.mark.unit

RATE = 2.0


def narrow(a: np.int32, b: np.float32 | None, day: dt.date) -> np.int16:
    """Each with a narrow type."""
    import math

    return math.floor(a * (b or 1))


def untyped(a, b: complex) -> float:
    return a


def leaning(a: float) -> float:
    return a * RATE


def defaulted(a: float, rate: float = RATE, days: int = 7) -> float:
    return a * rate


def listed(a: list[float], b: float | int, c: dict[str, float]) -> float | None:
    return 1.0


def starred(a: float, *more: float, b: float = 1.0, **rest: float) -> float:
    return a


def before(a: float, /) -> float:
    return a


def test_annotations_are_types_and_the_source_stands_alone():
    kept = catalog_function("Cat.sch.Narrow", narrow)
    assert kept.name == "cat.sch.narrow"
    assert kept.parameters == (("a", "int"), ("b", "float"), ("day", "date"))
    assert kept.returns == "smallint"
    assert "np." not in kept.source
    assert kept.python()(3, 1.5, None) == 4


@pytest.mark.parametrize(
    ("function", "name", "told"),
    [
        (untyped, "c.s.f", r"test_functions.py:\d+\): a has no annotation.*; b has no annotation"),
        (leaning, "c.s.f", "leans on RATE"),
        (defaulted, "c.s.f", r"leans on RATE:"),
        (listed, "c.s.f", "a has no annotation.*b has no annotation.*c has no annotation"),
        (
            starred,
            "c.s.f",
            "'more' is no plain param.*; 'b' is no plain param.*; 'rest' is no plain",
        ),
        (before, "c.s.f", "'a' is no plain parameter"),
        (narrow, "f", "catalog.schema.function"),
        (lambda a: a, "c.s.f", "only a plain `def`"),
        (len, "c.s.f", "only a plain `def`"),
    ],
    ids=[
        "types",
        "globals",
        "defaults",
        "generic types",
        "stars",
        "by position only",
        "name",
        "lambda",
        "builtin",
    ],
)
def test_what_can_not_be_kept_is_refused(function, name, told):
    with pytest.raises(DataError, match=told):
        catalog_function(name, function)


def test_a_function_within_a_function_may_not_lean_on_it():
    factor = 3

    def inner(a: int) -> int:
        return a * factor

    with pytest.raises(DataError, match="leans on factor"):
        catalog_function("c.s.f", inner)
