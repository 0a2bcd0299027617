"""The flags of every subcommand that reads a bundle."""

from __future__ import annotations

from collections.abc import Iterable

from nextbest.errors import UsageError


def parse_variables(given: Iterable[str]) -> dict[str, str]:
    """`["name=value"]` as a mapping.

    Raises UsageError that lists everything that has not this form, or names a variable twice.
    """
    variables: dict[str, str] = {}
    problems = []
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            problems.append(f"'{text}' is not of the form name=value")
        elif name in variables:
            problems.append(f"'{name}' is given twice")
        variables[name] = value
    if problems:
        raise UsageError("--var: " + "; ".join(problems))
    return variables
