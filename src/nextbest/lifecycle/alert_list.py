"""Alerts as whoever is on call asks for them: the same queries on a laptop and on a warehouse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nextbest.errors import UsageError
from nextbest.lifecycle.responding import ACKNOWLEDGEMENTS, write
from nextbest.settings import Settings
from nextbest.tables import quote

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Query = Callable[[str, Mapping[str, str]], Sequence[Mapping[str, Any]]]  # SQL, its :names → rows


def listed(settings: Settings, query: Query, since: str) -> list[dict[str, Any]]:
    """The model's alerts from a day on, newest and worst first, with who acknowledged each.

    `since`: a date. Whoever acknowledged one alert of an episode did so for all of it. Each has
    the response of its day, and how many of the messages about its day were delivered or are still
    open.
    """
    names = {name: quote(settings.table(name)) for name in _TABLES}
    rows = query(_ALERTS.format(**names), {"model": settings.model, "since": since})
    sent = query(_SENT.format(**names), {"model": settings.model, "since": since})
    by_day = {str(row["as_of"]): row for row in sent}
    found = []
    for row in rows:
        day = by_day.get(str(row["as_of"]), {})
        counts = {name: int(day.get(name) or 0) for name in ("delivered", "undelivered")}
        found.append({**{key: _plain(value) for key, value in row.items()}, **counts})
    return found


def chosen(settings: Settings, query: Query, alert: str) -> str:
    """The whole id of an alert, of which the begin is enough.

    Raises UsageError for an id that none or several have.
    """
    names = {name: quote(settings.table(name)) for name in _TABLES}
    given = {"model": settings.model, "start": f"{alert}%"}
    found = [str(row["alert_id"]) for row in query(_FIND.format(**names), given)]
    if len(found) != 1:
        told = f"{len(found)} alerts" if found else "no alert"
        raise UsageError(f"{told} of {settings.model} with id {alert}: `dbb alerts` lists them")
    return found[0]


def acknowledge_here(
    settings: Settings, spark: SparkSession, alert: str, who: str, reason: str
) -> None:
    """Write down that somebody looks after an alert, by Spark; a new reason replaces the old."""
    table = settings.table("alert_acknowledgements")
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    write(spark, [(alert, now, who, reason)], ACKNOWLEDGEMENTS, table, ["alert_id"])


def acknowledge_there(settings: Settings, query: Query, alert: str, who: str, reason: str) -> None:
    """The same by a warehouse."""
    table = quote(settings.table("alert_acknowledgements"))
    query(_ACKNOWLEDGE.format(table), {"alert": alert, "who": who, "reason": reason})


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float) else str(value)


_TABLES = ("alerts", "responses", "alert_deliveries", "alert_acknowledgements")
# By JSON, since a table that no newer run has written to yet lacks the column; Spark takes a star
# in a list of SELECT alone.
_ALERTS = """
WITH found AS (
  SELECT a.*, coalesce(get_json_object(to_json(struct(a.*)), '$.episode'), a.alert_id) AS begun
  FROM {alerts} a WHERE a.model = :model
), acknowledged AS (
  SELECT a.begun, max(struct(k.acknowledged_at, k.acknowledged_by, k.reason)) AS newest
  FROM found a JOIN {alert_acknowledgements} k ON k.alert_id = a.alert_id
  GROUP BY a.begun
)
SELECT a.alert_id, a.as_of, a.severity, a.text, a.told, r.action, r.reason AS response,
  k.newest.acknowledged_by, k.newest.reason AS acknowledged_because
FROM found a
LEFT JOIN {responses} r ON r.model = a.model AND r.as_of = a.as_of
LEFT JOIN acknowledged k ON k.begun = a.begun
WHERE a.standing AND a.as_of >= CAST(:since AS DATE)
ORDER BY a.as_of DESC, a.severity, a.subject
"""
_SENT = """
SELECT as_of, sum(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END) AS delivered,
  sum(CASE WHEN state IN ('pending', 'failed') THEN 1 ELSE 0 END) AS undelivered
FROM {alert_deliveries} WHERE model = :model AND as_of >= CAST(:since AS DATE) GROUP BY as_of
"""
_FIND = """
SELECT alert_id FROM {alerts} WHERE model = :model AND alert_id LIKE :start
"""
_ACKNOWLEDGE = """
MERGE INTO {} k
USING (SELECT :alert AS alert_id, current_timestamp() AS acknowledged_at,
  :who AS acknowledged_by, :reason AS reason) s
ON k.alert_id = s.alert_id
WHEN MATCHED THEN UPDATE SET acknowledged_at = s.acknowledged_at,
  acknowledged_by = s.acknowledged_by, reason = s.reason
WHEN NOT MATCHED THEN INSERT (alert_id, acknowledged_at, acknowledged_by, reason)
  VALUES (s.alert_id, s.acknowledged_at, s.acknowledged_by, s.reason)
"""
