"""Who may get what: the actions' own SQL rules and validity dates, evaluated by the engine."""

from __future__ import annotations

import datetime as dt
import difflib
import re

import pandas as pd
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from nextbest.decisions.treatments import NONE, Treatments
from nextbest.errors import DataError

_KEYWORD = re.compile(
    "and|or|not|in|is|null|true|false|r?i?like|between|escape|case|when|then|else|end|div|distinct"
    "|cast|as|string|double|float|int|bigint|boolean|date|timestamp|interval|days?|months?|years?"
)


def decision_time(as_of: dt.date) -> dt.datetime:
    """When the decisions of a day are made: 08:00 UTC, when the inference job runs."""
    return dt.datetime(as_of.year, as_of.month, as_of.day, 8, tzinfo=dt.UTC)


def with_eligible(frame: DataFrame, actions: pd.DataFrame, at: dt.date) -> DataFrame:
    """Add `eligible array<string>`: the treatments whose rule holds, in the order of Treatments.

    `actions` needs Treatments' columns and eligibility (Spark SQL, boolean), valid_from (from then
    on) and valid_to (before then), UTC or null, compared with decision_time(at). A rule that is
    null for a customer does not hold; NaN in a column becomes null, since engines hold it greater
    than every number and a rule would be true by accident. Whoever has nothing else gets "none";
    without a "none" in the table such customers raise DataError (one count over the frame).
    Raises DataError with all rules that the engine refuses or that are not boolean: action, rule,
    column.
    """
    treatments = Treatments.from_frame(actions)
    missing = [c for c in ("eligibility", "valid_from", "valid_to") if c not in actions.columns]
    if missing:
        raise DataError(f"actions: the columns {', '.join(missing)} are missing")
    moment = pd.Timestamp(decision_time(at))
    starts = pd.to_datetime(actions["valid_from"], utc=True)
    ends = pd.to_datetime(actions["valid_to"], utc=True)
    valid = actions[(starts.isna() | (starts <= moment)) & (ends.isna() | (ends > moment))]
    rules = dict(zip(valid["treatment"], valid["eligibility"], strict=True))
    frame = _without_nan(frame)
    _check(frame, rules)
    names = [F.when(F.expr(rules.get(name, "false")), F.lit(name)) for name in treatments.names]
    found = F.array_compact(F.array(*names))
    if NONE in treatments.names:
        found = F.when(F.size(found) == 0, F.array(F.lit(NONE))).otherwise(found)
        return frame.withColumn("eligible", found)
    result = frame.withColumn("eligible", found)
    open_to_all = any(str(rule).strip().lower() == "true" for rule in rules.values())
    lost = 0 if open_to_all else result.filter(F.size("eligible") == 0).count()
    if lost:
        raise DataError(
            f"{lost} customers have no eligible treatment on {at} and the actions table has no "
            "'none'; add it (action_id none, channel none) or a rule that is open to all"
        )
    return result


def _without_nan(frame: DataFrame) -> DataFrame:
    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    floats = [name for name, kind in kinds.items() if kind in ("double", "float")]
    if not floats:
        return frame
    return frame.withColumns({name: F.when(~F.isnan(name), F.col(name)) for name in floats})


def _check(frame: DataFrame, rules: dict[str, str]) -> None:
    """Let the engine analyse all rules at once and, only when it says no, each alone."""
    distinct = sorted({str(rule) for rule in rules.values()})
    if not distinct or _refusal(frame, distinct) is None:
        return
    refused = {rule: why for rule in distinct if (why := _refusal(frame, [rule])) is not None}
    problems = []
    for rule, why in refused.items():
        names = [name for name, its_rule in rules.items() if str(its_rule) == rule]
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        problems.append(f'{some}: rule "{rule}": {_unknown(rule, frame.columns) or why}')
    raise DataError("actions.eligibility: " + "; ".join(problems))


def _refusal(frame: DataFrame, rules: list[str]) -> str | None:
    """What the engine has against these rules, None when all of them are boolean columns."""
    try:
        schema = frame.select([F.expr(rule).alias(f"r{i}") for i, rule in enumerate(rules)]).schema
    except PySparkException as refused:
        return str(refused).strip().splitlines()[0]
    kinds = [field.dataType.simpleString() for field in schema.fields]
    wrong = [kind for kind in kinds if kind != "boolean"]
    return f"it is {wrong[0]}, not boolean; compare it with something" if wrong else None


def _unknown(rule: str, columns: list[str]) -> str | None:
    """Name the identifiers of a refused rule that are no columns, with near matches."""
    bare = re.sub(r"'[^']*'", "''", rule)
    # A word followed by "(" is a function; digits with a suffix (1e3, 5L) are numbers.
    words = re.findall(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*\()", bare)
    known = {column.lower() for column in columns}
    unknown = sorted(
        {word for word in words if not (word.lower() in known or _KEYWORD.fullmatch(word.lower()))}
    )
    if not unknown:
        return None
    near = difflib.get_close_matches(unknown[0], columns, n=1)
    hint = f": did you mean '{near[0]}'?" if near else f"; known are {', '.join(columns)}"
    return f"unknown column {', '.join(repr(word) for word in unknown)}{hint}"
