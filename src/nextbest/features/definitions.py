"""What each feature means: its window, its unit and where it comes from; one line each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nextbest.errors import DataError

DAYS_KEPT = 90  # the longest window; older events are not looked at
MOST_VALUES = 12  # a column with more values (80 items of a shop) gets no feature for each
SMOOTHING = 20.0  # contacts that the rate of all treatments is worth in that of one


@dataclass(frozen=True)
class Window:
    """A feature over past events of one kind: how many, how much, or how long ago.

    `statistic`: count | amount | days_since. `days` is the length of the window, which ends just
    before the day for which the feature holds. `unit` and `source` are for whoever reads it. A
    feature `per` column (channel or action_id of the decision) looks only at events whose `value`
    of it is that one; without a value it stands for one feature per value (`spread`).
    """

    name: str
    event: str
    statistic: str
    days: int
    source: str
    per: str = ""
    value: str = ""

    @property
    def unit(self) -> str:
        """Of the feature's numbers."""
        return {"count": "events", "amount": "money", "days_since": "days"}[self.statistic]

    @property
    def window(self) -> str:
        """The days it looks at, in words."""
        return f"{self.days} days before the day"

    @property
    def meaning(self) -> str:
        """The feature in words."""
        what = self.event.replace("_", " ") + "s"
        if self.per:
            what += f" with {self.per.removesuffix('_id')} {self.value}"
        told = {
            "count": f"Number of {what}",
            "amount": f"Money of {what}",
            "days_since": f"Days since the last of the {what}, null without one",
        }
        return f"{told[self.statistic]} in the {self.days} days before"


WINDOWS = (
    Window("visits_7d", "visit", "count", 7, "interactions"),
    Window("visits_30d", "visit", "count", 30, "interactions"),
    Window("days_since_visit", "visit", "days_since", DAYS_KEPT, "interactions"),
    Window("contacts_7d", "contact", "count", 7, "interactions"),
    Window("contacts_30d", "contact", "count", 30, "interactions"),
    Window("purchases_30d", "purchase", "count", 30, "interactions"),
    Window("spend_30d", "purchase", "amount", 30, "interactions"),
    Window("days_since_purchase", "purchase", "days_since", DAYS_KEPT, "interactions"),
    Window("service_calls_30d", "service_call", "count", 30, "interactions"),
    Window("offers_30d", "offer", "count", 30, "decisions"),
    Window("days_since_offer", "offer", "days_since", DAYS_KEPT, "decisions"),
    Window("responses_90d", "response", "count", DAYS_KEPT, "outcomes"),
)
# In a table of their own: every column of customer_features is one that models learn from, and
# these are rare, or nearly told by others (docs/decisions/0015).
HISTORY = (
    Window("days_since_contact", "contact", "days_since", DAYS_KEPT, "interactions"),
    Window("response_value_90d", "response", "amount", DAYS_KEPT, "outcomes"),
    Window("opt_outs_90d", "opt_out", "count", DAYS_KEPT, "outcomes"),
    Window("offers_{}_30d", "offer", "count", 30, "decisions", "channel"),
    Window("responses_{}_90d", "response", "count", DAYS_KEPT, "outcomes", "channel"),
    Window("responses_{}_90d", "response", "count", DAYS_KEPT, "outcomes", "action_id"),
)
# Events that are no rows of `interactions`: an offer is a decision other than "none", a response
# or an opt-out an outcome of one of these kinds, of the decision's channel and action.
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "response": ("response", "click"),
    "opt_out": ("opt_out",),
}
EVENTS = tuple(dict.fromkeys(window.event for window in (*WINDOWS, *HISTORY)))

_WEEK, _MONTH = "7 days before the day", "30 days before the day"
ACTION_FEATURES: Mapping[str, tuple[str, str, str, str]] = {
    # name: meaning, window, unit, source
    "contacts_7d": ("Decisions for it", _WEEK, "decisions", "decisions"),
    "contacts_30d": ("Decisions for it", _MONTH, "decisions", "decisions"),
    "responses_7d": ("Decisions for it answered", _WEEK, "decisions", "outcomes"),
    "responses_30d": ("Decisions for it answered", _MONTH, "decisions", "outcomes"),
    "response_rate_30d": (
        f"Answered share of its matured decisions, drawn to that of all treatments as if by"
        f" {SMOOTHING:g} decisions",
        "30 days before the last day that has matured",
        "share",
        "decisions, outcomes",
    ),
}  # fmt: skip


def spread(values: Mapping[str, Sequence[str]]) -> tuple[Window, ...]:
    """HISTORY, with one feature for each value of a column that one is `per`.

    A column with more than MOST_VALUES values gets none. Raises DataError when two features would
    have one name.
    """
    found = [window for window in HISTORY if not window.per]
    found += [
        replace(window, name=window.name.format(_word(value)), value=value)
        for window in HISTORY
        for value in sorted(values.get(window.per, ()))
        if len(values[window.per]) <= MOST_VALUES
    ]
    names = [window.name for window in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            f"features: {', '.join(twice)} would each be two: rename a channel or an action so that"
            " letters and digits tell them apart"
        )
    return tuple(found)


def _word(value: str) -> str:
    return re.sub(r"\W+", "_", value.lower())
