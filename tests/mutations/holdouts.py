"""Ways to break the rows that both versions are judged on, each with the gate that must refuse."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd

from nextbest.evaluation.release.contest import digest
from nextbest.lifecycle.judging import learned_from

from .contests import SHARE


def on(rows, contest):
    """The contest on other rows, which were frozen so."""
    return dataclasses.replace(contest, rows=rows, frozen=digest(rows))


def part(keep):
    """Only the rows for which `keep` is true."""
    return lambda contest, learned: on(
        contest.rows[keep(contest.rows)].reset_index(drop=True), contest
    )


def changed(column, value, every=1):
    """A column has another value in every so-manieth row; a function gets the old ones."""

    def change(contest, learned):
        rows = contest.rows.copy()
        at = rows.index[::every]
        if callable(value):
            rows[column] = value(rows[column])
        else:
            if not np.isscalar(value) or isinstance(value, str):
                rows[column] = rows[column].astype(object)
            rows.loc[at, column] = value
        return on(rows, contest)

    return change


def learned_too(contest, learned):
    rows = pd.concat([contest.rows, learned.head(200)], ignore_index=True)
    return dataclasses.replace(on(rows, contest), learned_from=learned_from(rows, [SHARE, SHARE]))


def twice(contest, learned):
    return on(pd.concat([contest.rows, contest.rows.head(50)], ignore_index=True), contest)


def touched(contest, learned):
    """A value changed after the rows were frozen."""
    rows = contest.rows.copy()
    rows.loc[0, "value"] += 0.01
    return dataclasses.replace(contest, rows=rows)


def stale(contest, learned):
    later = contest.terms.as_of + dt.timedelta(days=30)
    return dataclasses.replace(contest, terms=dataclasses.replace(contest.terms, as_of=later))


def another_type(contest, learned):
    return dataclasses.replace(contest, table={**contest.table, "segment": "double"})


def gone_from_table(contest, learned):
    table = {name: kind for name, kind in contest.table.items() if name != "contacts_7d"}
    return dataclasses.replace(contest, table=table)


def without(column):
    return lambda contest, learned: on(contest.rows.drop(columns=column), contest)


HOLDOUTS = (
    ("empty", "no row", "holdout, rows", part(lambda rows: rows["value"] > 1e9)),
    ("thin", "1,500 decisions", "effective sample", part(lambda rows: rows.index < 1500)),
    ("no-rewards", "nobody ever responded", "positive rewards",
     changed("value", lambda values: values.clip(upper=0.0))),
    ("absent-slice", "no decision about a declared segment", "slice segment=high_value",
     part(lambda rows: rows["segment"] != "high_value")),
    ("thin-slice", "30 decisions about one segment, and 30 about each other",
     "slice segment=digital_native + segment=high_value + segment=loyal + segment=value_seeker",
     part(lambda rows: rows.groupby("segment").cumcount() < 30)),
    ("no-propensities", "some propensities are missing", "propensities",
     changed("propensity", np.nan, 1000)),
    ("propensities-above-1", "propensities in percent", "propensities",
     changed("propensity", lambda values: 100 * values)),
    ("propensities-halved", "propensities half of what they were", "mean weight, not above 1",
     changed("propensity", lambda values: values / 2)),
    ("propensities-even", "propensities of a policy that chose evenly",
     "mean weight, not below 1", changed("propensity", lambda values: 0 * values + 0.2)),
    ("metric-raises", "outcomes that are no numbers: a metric raises a ValueError",
     "calibration error of response", changed("response", "yes", 1000)),
    ("unseen-treatment", "a treatment that the actions table lacks", "decisions are scored",
     changed("treatment", "crypto:sms", 1000)),
    ("outside-eligible", "a choice that was not open to the customer", "decisions are scored",
     changed("treatment", "device_upgrade:call", 3)),
    ("no-feature", "a feature is gone from the rows", "decisions are scored",
     without("usage_level")),
    ("nulls", "a feature is null in half of the rows only here", "nulls of features",
     changed("usage_level", np.nan, 2)),
    ("no-values", "some decisions have no value", "holdout without holes",
     changed("value", np.nan, 1000)),
    ("doubled", "50 decisions stand there twice", "one row per decision", twice),
    ("learned-from", "200 decisions about customers whom both learned from",
     "customers never learned from", learned_too),
    ("touched", "one value changed after the rows were frozen", "holdout as frozen", touched),
    ("stale", "the newest decision is 37 days old", "age of the holdout", stale),
    ("type", "a feature has another type in the feature table",
     "types of inputs, as in the feature table", another_type),
    ("feature-table", "a feature is gone from the feature table", "inputs in the feature table",
     gone_from_table),
)  # fmt: skip
