"""Quartz cron expressions."""

from __future__ import annotations

import pytest

from nextbest.bundle.cron import problem_with

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "0 0 8 * * ?", "0 0 2 ? * MON-FRI", "0 0/15 * * * ?", "0 */5 * * * ?", "59 59 23 31 12 ?",
        "0 0 8 1,15 * ?", "0 0 8 L * ?", "0 0 8 LW * ?", "0 0 8 L-3 * ?", "0 0 8 15W * ?",
        "0 0 8 ? * 6L", "0 0 8 ? * FRIL", "0 0 8 ? * 6#3", "0 0 8 ? * FRI#3", "0 0 8 ? JAN-MAR 2",
        "0 0 22-2 * * ?", "0 0 8 * * ? 2030", "0 0 8 * * ? 2026-2030", "0 0 8 ? * mon,wed",
        "0 0 8 ? * L", "0 10-50/10 8 * * ?",
    ],
)  # fmt: skip
def test_valid(text: str):
    assert problem_with(text) is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0 8 * * *", "5 fields"), ("", "0 fields"), ("0 0 8 * * ? 2030 1", "8 fields"),
        ("60 0 8 * * ?", "seconds"), ("0 60 8 * * ?", "minutes"), ("0 0 24 * * ?", "hours"),
        ("0 0 8 0 * ?", "day of month"), ("0 0 8 32 * ?", "day of month"),
        ("0 0 8 * 13 ?", "month"), ("0 0 8 * JUNE ?", "month"), ("0 0 8 ? * 0", "day of week"),
        ("0 0 8 ? * 8", "day of week"), ("0 0 8 ? * 6#6", "day of week"),
        ("0 0 8 ? * MOO", "day of week"), ("0 0 8 * * ? 1969", "year"),
        ("0 0 8 * * *", "exactly one"), ("0 0 8 ? * ?", "exactly one"), ("? 0 8 * * ?", "seconds"),
        ("0 0 8 1,? * ?", "day of month"), ("0 0/0 8 * * ?", "minutes"), ("0 0 8- * * ?", "hours"),
        ("0 -1 8 * * ?", "minutes"), ("0 0 8 32W * ?", "day of month"), ("0 a 8 * * ?", "minutes"),
        ("0 0 8 L-31 * ?", "day of month"), ("0 1,,2 8 * * ?", "minutes"),
    ],
)  # fmt: skip
def test_invalid(text: str, part: str):
    assert part in problem_with(text)
