"""What of a day's verdict is told to people, and what is done about it."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from nextbest.errors import SettingsError
from nextbest.monitoring.causes import Advice
from nextbest.monitoring.verdict import NOT_COMPUTABLE, Drifted, Verdict

WARNING, CRITICAL = "warning", "critical"
CRITICAL_FROM = 2.0  # thresholds
DRIFT = "drift"
NEW, WORSE, BETTER, REMINDER, KNOWN = "new", "worse", "better", "reminder", "known"
TOLD = (NEW, WORSE, BETTER, REMINDER)  # reasons to tell people; KNOWN is none
RETRAIN, NOTHING = "retrain", "none"
TRAIN = Advice(RETRAIN, "a drift whose cause nobody looked at")


@dataclass(frozen=True)
class Alert:
    """One finding of a day: a row of the table `alerts`, by the same names.

    version: the champion of the day; kind: drift or not computable, subject: the column; or, of
    what no column tells, kind: concept, sample ratio, lift or opt-outs. value in the unit of its
    threshold, None where it is not computable; told: why people are told of it, one of TOLD, or
    KNOWN. episode: id of the alert with which it began to go on like this, or became worse, which
    one acknowledgement is about; None, as older tables have it: its own.
    """

    alert_id: str
    model: str
    as_of: dt.date
    version: str
    kind: str
    subject: str
    severity: str
    value: float | None
    threshold: float
    text: str
    told: str
    episode: str | None = None


@dataclass(frozen=True)
class Response:
    """What is done about a day's verdict, and why: a row of `responses`, by the same names."""

    model: str
    as_of: dt.date
    version: str
    drifted: bool
    action: str  # RETRAIN or NOTHING
    reason: str
    verdict: str
    advice: str = RETRAIN
    risk: float | None = None  # 0 to 100, of monitoring.risk
    causes: str = "[]"  # JSON: kind, weight, columns, text; most likely first
    report: str | None = None  # path of the day's page
    run: str | None = None  # where people see the run that made it: a URL or a path


@dataclass(frozen=True)
class Brake:
    """How often drift may start a retraining, in days of `as_of`."""

    cooldown_days: int  # from one to the next
    cap: int  # retrainings within any window
    window_days: int


def raised(
    verdict: Verdict,
    model: str,
    version: str,
    as_of: dt.date,
    *,
    past: Iterable[Alert],
    judged: Collection[dt.date],
    acknowledged: Collection[str],
    reminder_days: int,
) -> tuple[Alert, ...]:
    """The verdict's findings as alerts, each with whether it is news.

    `past`: alerts of this model; `judged`: days that had a verdict; of both only what lies before
    `as_of` counts, so a repeated run says the same. `acknowledged`: alert ids. A finding that
    goes on from one judged day to the next under the same champion is told again only when its
    severity differs from what was told last, or after `reminder_days`, unless somebody has
    acknowledged it since it began or became worse.
    """
    before = sorted((day for day in judged if day < as_of), reverse=True)
    known = {(a.version, a.kind, a.subject, a.as_of): a for a in past if a.as_of < as_of}
    found = []
    for each in (*verdict.others, *verdict.findings):
        kind = each.statistic if each in verdict.others else _kind(each)
        severity = _severity(each)
        episode = []
        for day in before:
            if (one := known.get((version, kind, each.column, day))) is None:
                break
            episode.append(one)
            if one.told == WORSE:
                break  # nobody who acknowledged it before knew of that
        told = _told(severity, as_of, episode, acknowledged, reminder_days)
        value = None if math.isnan(each.value) else each.value
        number = alert_id(model, as_of, kind, each.column)
        begun = number
        if episode and told != WORSE:
            begun = episode[-1].episode or episode[-1].alert_id
        found.append(
            Alert(number, model, as_of, version, kind, each.column, severity, value,
                  each.threshold, _sentence(each), told, begun)
        )  # fmt: skip
    return tuple(found)


def alert_id(model: str, as_of: dt.date, kind: str, subject: str) -> str:
    """The key of an alert: the same for every run of the day."""
    return digest(model, as_of, kind, subject)


def digest(*parts: object) -> str:
    """A key: the same for the same parts."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]


def decide_response(
    drifted: bool,
    as_of: dt.date,
    started: Iterable[dt.date],
    newest: dt.date | None,
    brake: Brake,
    advice: Advice = TRAIN,
) -> tuple[str, str]:
    """RETRAIN or NOTHING, and why; `started`: the days on which drift started a retraining.

    Only those before `as_of` count, so a repeated run decides the same. `newest`: the newest day
    with a response, of any run; a run for a day before it makes up for the past, and what was done
    since is not undone by a training. Where the advice is to mend the data or to watch, no training
    is started: people are told. SettingsError for a brake below zero or with a window of no day.
    """
    if brake.cooldown_days < 0 or brake.cap < 0 or brake.window_days < 1:
        raise SettingsError(
            "retrain_cooldown_days, retrain_cap and retrain_window_days: "
            f"{brake.cooldown_days}, {brake.cap} and {brake.window_days}; the first two must be "
            "0 or more, the window 1 or more"
        )
    if not drifted:
        return NOTHING, "no drift"
    if advice.response != RETRAIN:
        return NOTHING, f"{advice.response}: {advice.why}"
    if newest is not None and as_of < newest:
        return NOTHING, (
            f"backfill: the newest day judged is {newest}, and drift of a day before it starts no "
            "training; if that day was judged by mistake, delete its row from the table responses"
        )
    ages = sorted((as_of - day).days for day in started if day < as_of)
    if ages and ages[0] < brake.cooldown_days:
        next_one = as_of + dt.timedelta(days=brake.cooldown_days - ages[0])
        return NOTHING, (
            f"cool-down: drift started a retraining {_days(ages[0])} ago, the next one may start "
            f"on {next_one}"
        )
    recent = sum(age < brake.window_days for age in ages)
    if recent >= brake.cap:
        return NOTHING, (
            f"cap: drift started {recent} retrainings in {_days(brake.window_days)}, {brake.cap} "
            "are allowed: training again does not help, look for the cause"
        )
    return RETRAIN, "drift starts training_job"


def _kind(found: Drifted) -> str:
    return NOT_COMPUTABLE if found.statistic == NOT_COMPUTABLE else DRIFT


def _severity(found: Drifted) -> str:
    if found.words:
        return CRITICAL  # a customer feels it, or nobody knows any more what customers feel
    unknown = math.isnan(found.value)
    return CRITICAL if unknown or found.value >= CRITICAL_FROM * found.threshold else WARNING


def _told(
    severity: str,
    as_of: dt.date,
    episode: Sequence[Alert],
    acknowledged: Collection[str],
    reminder_days: int,
) -> str:
    """`episode`: the same finding since it began or became worse, newest first."""
    last = next((each for each in episode if each.told in TOLD), None)
    if last is None:
        return NEW
    if severity != last.severity:
        return WORSE if severity == CRITICAL else BETTER
    if any(each.alert_id in acknowledged for each in episode):
        return KNOWN
    return REMINDER if (as_of - last.as_of).days >= reminder_days else KNOWN


def _sentence(found: Drifted) -> str:
    if found.words:
        return f"{found.column}: {found.words}"
    if found.statistic == NOT_COMPUTABLE:
        return f"{found.column}: its drift is not computable"
    name = found.statistic.replace("_", " ")
    return f"{found.column}: {name} {found.value:.3g}, threshold {found.threshold:.3g}"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
