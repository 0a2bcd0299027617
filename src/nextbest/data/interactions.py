"""What customers do and meet besides our decisions: visits, contacts, purchases, service calls."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nextbest.data.draws import normal, uniform
from nextbest.data.world import World, customer_numbers

FATIGUE_DAYS = 7
FATIGUE_CAP = 6
CONTACTS_A_WEEK = 1.2  # Poisson, the same for everybody
LEAD_DAYS = 30  # of interactions before the first decision, for windows that look back
# Daily chance of each other kind, and the attribute that makes it e^.4 times likelier per unit.
_HABITS = {
    "visit": (0.080, "digital_affinity"),
    "purchase": (0.015, "novelty_seeking"),
    "service_call": (0.006, "service_need"),
}
_RATE = CONTACTS_A_WEEK / FATIGUE_DAYS
# Cumulative Poisson probabilities of 0, 1, 2, 3 contacts a day; a fifth comes once in 1.5 million.
_LADDER = np.exp(-_RATE) * np.cumsum([1, _RATE, _RATE**2 / 2, _RATE**3 / 6])


def fatigue(world: World, base: pd.DataFrame, days: np.ndarray) -> np.ndarray:
    """Contacts [n] of customers (rows of table `customers`) in the seven days before `days` [n].

    The same as counting, in table `interactions`, events of kind contact from seven midnights
    before the day's own up to that one, at most 6. Marginally Poisson(1.2).
    """
    number = customer_numbers(base["customer_id"], world.population)
    day = days.astype("datetime64[D]").astype(np.int64)
    count = sum(_contacts(world, day - lag, number) for lag in range(1, FATIGUE_DAYS + 1))
    return np.minimum(count, FATIGUE_CAP)


def interactions(
    world: World, base: pd.DataFrame, first: np.datetime64, end: np.datetime64
) -> pa.Table:
    """Events of the days [first, end), with the columns of table `interactions`.

    A day's events depend on (seed, day, customer) alone. `base` are the customers known at `end`.
    """
    number = customer_numbers(base["customer_id"], world.population)
    day = np.arange(first, end).astype("datetime64[D]").astype(np.int64)[:, None]
    contacts = _contacts(world, day, number)
    events = [
        _events(world, "contact", k, contacts > k, day, base, number)
        for k in range(contacts.max(initial=0))
    ]
    for kind, (chance, attribute) in _HABITS.items():
        likely = chance * np.exp(0.4 * base[attribute].to_numpy())
        happened = uniform(world.seed, kind, day, number) < likely
        happened &= ~_absent(world, day, number)
        events.append(_events(world, kind, 0, happened, day, base, number))
    return pa.concat_tables(events)


def _contacts(world: World, day: np.ndarray, number: np.ndarray) -> np.ndarray:
    draw = uniform(world.seed, "contact", day, number)
    count = np.searchsorted(_LADDER, draw.ravel(), side="right").reshape(draw.shape)
    return np.where(_absent(world, day, number), 0, count)


def _absent(world: World, day: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Newcomers leave no trace before they arrive."""
    arrival = np.datetime64(world.drift_from).astype("datetime64[D]").astype(np.int64)
    return (number >= world.customers) & (day < arrival)


def _events(
    world: World,
    kind: str,
    nth: int,
    happened: np.ndarray,
    day: np.ndarray,
    base: pd.DataFrame,
    number: np.ndarray,
) -> pa.Table:
    """One event for each True in `happened` [days, n]; `nth` tells a day's contacts apart."""
    when, who = np.nonzero(happened)
    ordinal = day[when, 0]
    second = uniform(world.seed, f"{kind} {nth} at", ordinal, number[who]) * 86_400
    time = (ordinal * 86_400 + second.astype(np.int64)) * 1_000_000
    customer = pa.array(base["customer_id"]).take(pa.array(who))
    date = pa.array(np.datetime_as_string(day[:, 0].astype("datetime64[D]"))).take(pa.array(when))
    amount = pa.nulls(len(who), pa.float64())
    if kind == "purchase":
        noise = normal(world.seed, "amount", ordinal, number[who])
        amount = pa.array(np.round(np.exp(2.5 + 0.5 * noise), 2))
    return pa.table(
        {
            "event_id": pc.binary_join_element_wise(kind, date, customer, str(nth), "-"),
            "customer_id": customer,
            "event_time": pa.array(time, pa.timestamp("us", tz="UTC")),
            "kind": pa.array(np.full(len(who), kind)),
            "amount": amount,
        }
    )
