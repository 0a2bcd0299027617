"""What each customer feature means: its window, its unit and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

DAYS_KEPT = 90  # the longest window; older events are not looked at


@dataclass(frozen=True)
class Window:
    """A feature over past events of one kind: how many, how much, or how long ago.

    `statistic`: count | amount | days_since. `days` is the length of the window, which ends just
    before the day for which the feature holds. `unit` and `source` are for whoever reads it.
    """

    name: str
    event: str
    statistic: str
    days: int
    unit: str
    source: str

    @property
    def meaning(self) -> str:
        """The feature in words."""
        what = self.event.replace("_", " ") + "s"
        told = {
            "count": f"Number of {what}",
            "amount": f"Money spent in {what}",
            "days_since": f"Days since the last of the {what}, null without one",
        }
        return f"{told[self.statistic]} in the {self.days} days before"


def _window(name: str, event: str, statistic: str, days: int, source: str) -> Window:
    unit = {"count": "events", "amount": "money", "days_since": "days"}[statistic]
    return Window(name, event, statistic, days, unit, source)


WINDOWS = (
    _window("visits_7d", "visit", "count", 7, "interactions"),
    _window("visits_30d", "visit", "count", 30, "interactions"),
    _window("days_since_visit", "visit", "days_since", DAYS_KEPT, "interactions"),
    _window("contacts_7d", "contact", "count", 7, "interactions"),
    _window("contacts_30d", "contact", "count", 30, "interactions"),
    _window("purchases_30d", "purchase", "count", 30, "interactions"),
    _window("spend_30d", "purchase", "amount", 30, "interactions"),
    _window("days_since_purchase", "purchase", "days_since", DAYS_KEPT, "interactions"),
    _window("service_calls_30d", "service_call", "count", 30, "interactions"),
    _window("offers_30d", "offer", "count", 30, "decisions"),
    _window("days_since_offer", "offer", "days_since", DAYS_KEPT, "decisions"),
    _window("responses_90d", "response", "count", DAYS_KEPT, "outcomes"),
)
# Events that are no rows of `interactions`: an offer is a decision other than "none", a response
# is an outcome of one of these kinds.
RESPONSES = ("response", "click")
EVENTS = tuple(dict.fromkeys(window.event for window in WINDOWS))
