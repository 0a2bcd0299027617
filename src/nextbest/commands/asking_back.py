"""Questions before something is lost: answered on the terminal, or on stdin."""

from __future__ import annotations

from nextbest.errors import UsageError


def agreed(question: str) -> bool:
    """Whether the answer is yes; UsageError where nobody can answer."""
    return _answer(f"{question} [y/N] ").lower() in ("y", "yes")


def typed(question: str, expected: str) -> bool:
    """Whether what is expected was typed back."""
    return _answer(f"{question} ") == expected


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError as error:
        raise UsageError(
            "nobody can answer here, so nothing was changed: --auto-approve goes without asking"
        ) from error
