"""Payloads held to the types of the Databricks SDK: unknown fields, wrong kinds, unknown words."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def request_problems(sdk: Callable, given: Mapping[str, Any]) -> list[str]:
    """What is wrong with the names and values that a call gave for the SDK's method."""
    hints = typing.get_type_hints(sdk)
    parameters = list(inspect.signature(sdk).parameters.values())[1:]  # without self
    needed = {each.name for each in parameters if each.default is inspect.Parameter.empty}
    problems = [f"{name} is missing" for name in sorted(needed - given.keys())]
    for name, value in given.items():
        if name not in {each.name for each in parameters}:
            problems.append(f"{name} is no parameter of {sdk.__qualname__}")
        else:
            problems += value_problems(hints[name], value, name)
    return problems


def answer_problems(sdk: Callable, gives: type | None, given: Any) -> list[str]:
    """What is wrong with an answer to the SDK's method, or where it should be of type `gives`."""
    hint = gives or typing.get_type_hints(sdk)["return"]
    (inner,) = typing.get_args(hint) or (None,)
    if typing.get_origin(hint) is Iterator:  # a page: a list of T, and where the next one is
        (items,) = [each for each in given.values() if isinstance(each, list)]
        return value_problems(list[inner], items, "answer")
    return value_problems(inner or hint, given, "answer")  # Wait[T], or T


def value_problems(hint: Any, value: Any, where: str) -> list[str]:
    """What is wrong with a JSON value where a type is expected."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return []
    if origin in (typing.Union, types.UnionType):
        some = [kind for kind in inner if kind is not type(None)]
        found = [value_problems(kind, value, where) for kind in some]
        return [] if value is None or [] in found else found[0]
    if origin in (list, tuple):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [
            problem
            for at, each in enumerate(value)
            for problem in value_problems(inner[0], each, f"{where}[{at}]")
            # Rows of a query: NULL is null there, which the SDK's type doesn't say.
            if each is not None or not re.search(r"data_array\[\d+\]$", where)
        ]
    if dataclasses.is_dataclass(hint):
        return _fields(hint, value, where)
    if origin is dict or hint is dict:
        return [] if isinstance(value, dict) else [f"{where} is no object"]
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        known = [each.value for each in hint]
        return [] if value in known else [f"{where} is {value!r}, none of {', '.join(known)}"]
    kinds = {int: (int,), float: (int, float), str: (str,), bool: (bool,)}.get(hint)
    if kinds is None or (isinstance(value, kinds) and isinstance(value, bool) == (hint is bool)):
        return []
    if hint is int and isinstance(value, str) and value.lstrip("-").isdigit():
        return []  # so are whole numbers of 64 bits sent, and all numbers of a query
    if hint is bool and value in ("true", "false"):
        return []  # of a query
    return [f"{where} is {value!r}, no {hint.__name__}"]


def _fields(kind: type, value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is no {kind.__name__}"]
    hints, problems = typing.get_type_hints(kind), []
    for name, each in value.items():
        # SCIM writes userName where the SDK says user_name.
        its = re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()
        if its in hints:
            problems += value_problems(hints[its], each, f"{where}.{name}")
        else:
            problems.append(f"{where}.{name} is no field of {kind.__name__}")
    return problems
