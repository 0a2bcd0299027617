"""`dbutils.widgets`: the parameters of a notebook, as Databricks passes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class InputWidgetNotDefined(Exception):
    """A widget was asked for that nobody declared and no parameter fills."""


class Widgets:
    """Passed parameters win over declared defaults; every value is a string."""

    def __init__(self, passed: Mapping[str, str], declared: Mapping[str, str]) -> None:
        self._passed = dict(passed)
        self._declared = dict(declared)

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:
        """Declare a widget with any text."""
        self._declare(name, defaultValue)

    def dropdown(
        self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None
    ) -> None:
        """Declare a widget with one of `choices`; raises ValueError when the default is none."""
        if defaultValue not in choices:
            raise ValueError(
                f"widget '{name}': the default '{defaultValue}' is none of its choices "
                f"{list(choices)}"
            )
        self._declare(name, defaultValue)

    def combobox(
        self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None
    ) -> None:
        """Declare a widget with one of `choices` or any other text."""
        self._declare(name, defaultValue)

    def multiselect(
        self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None
    ) -> None:
        """Declare a widget with several of `choices`, read as text joined by commas."""
        if defaultValue not in choices:
            raise ValueError(
                f"widget '{name}': the default '{defaultValue}' is none of its choices "
                f"{list(choices)}"
            )
        self._declare(name, defaultValue)

    def _declare(self, name: str, default: str) -> None:
        for what, text in (("name", name), ("default value", default)):
            if not isinstance(text, str):
                raise TypeError(f"the {what} of a widget is a string, not {text!r}")
        self._declared.setdefault(name, default)

    def get(self, name: str) -> str:
        """The widget's value; raises InputWidgetNotDefined for an unknown name."""
        known = self.getAll()
        if name not in known:
            raise InputWidgetNotDefined(
                f"no widget '{name}': declare it, dbutils.widgets.text('{name}', ''), or pass a "
                f"parameter; there are {', '.join(sorted(known)) or 'none'}"
            )
        return known[name]

    def getArgument(self, name: str, defaultValue: str | None = None) -> str:
        """The widget's value, or the default for an unknown name."""
        if defaultValue is not None and name not in self.getAll():
            return defaultValue
        return self.get(name)

    def getAll(self) -> dict[str, str]:
        """Every widget and parameter with its value."""
        return {**self._declared, **self._passed}

    def remove(self, name: str) -> None:
        """Take a widget away; raises InputWidgetNotDefined for an unknown name."""
        self.get(name)
        self._declared.pop(name, None)
        self._passed.pop(name, None)

    def removeAll(self) -> None:
        """Take all widgets away."""
        self._declared.clear()
        self._passed.clear()

    def state(self) -> dict[str, dict[str, str]]:
        """What has to be carried over a restart of Python."""
        return {"passed": self._passed, "declared": self._declared}
