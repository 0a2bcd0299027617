"""If/else conditions: `left op right`, as Databricks' condition task compares them."""

from __future__ import annotations

from nextbest.errors import RunError

_NUMERIC = {
    "GREATER_THAN": lambda left, right: left > right,
    "GREATER_THAN_OR_EQUAL": lambda left, right: left >= right,
    "LESS_THAN": lambda left, right: left < right,
    "LESS_THAN_OR_EQUAL": lambda left, right: left <= right,
}


def holds(op: str, left: str, right: str) -> bool:
    """Whether `left op right`; EQUAL_TO and NOT_EQUAL compare text ("12.0" is not "12").

    Raises RunError when another operator meets an operand that is no number.
    """
    if op == "EQUAL_TO":
        return left == right
    if op == "NOT_EQUAL":
        return left != right
    return _NUMERIC[op](_number(op, left), _number(op, right))


def _number(op: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise RunError(f"{op} compares numbers, and '{text}' is none") from error
