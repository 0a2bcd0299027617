"""A day on which columns moved, and who is told of it, how patiently."""

from __future__ import annotations

import datetime as dt

from assessed import moved

from nextbest.channels.sending import Patience
from nextbest.monitoring.verdict import PSI, Drifted

QUICK = Patience(attempts=2, timeout=1.0, first=0.01, most=0.1)
WEBHOOK = "log; webhook {{secrets/alerts/url}}"
DAY = dt.date(2026, 1, 20)


def verdict(**values):
    found = tuple(Drifted(name, PSI, value, 0.2) for name, value in values.items())
    return moved(found)
