"""What benchmarks/engine.py reads: ninety days of a made-up world as Parquet files, seeded."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

EVENTS, DECISIONS, OUTCOMES, CUSTOMERS = 5_000_000, 1_000_000, 100_000, 400_000
DECIDED = 175_000  # × 29 treatments: 5M pairs
PROFILED = 5_000_000
OFFERS, CHANNELS = 7, ("email", "sms", "call", "app")
AS_OF = dt.date(2026, 4, 1)
NUMBERS = ("tenure_months", "monthly_margin", "usage_level", "service_need", "family_score")


def actions_table() -> pd.DataFrame:
    """none and 7 offers over 4 channels, with rules as those of the simulated world."""
    rules = {"email": "true", "app": "usage_level > -1.5", "sms": "sms_consent"}
    rules["call"] = "call_consent AND service_need < 2"
    rows = [("none", "none", "none", 0.0, 0.0, "true")]
    for offer in range(OFFERS):
        rows += [
            (f"o{offer}:{channel}", f"o{offer}", channel, 1.0 + offer / 4, 0.2, rules[channel])
            for channel in CHANNELS
        ]
    columns = ["treatment", "action_id", "channel", "value", "cost", "eligibility"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(lever=1.0, valid_from=pd.NaT, valid_to=pd.NaT)


def write_inputs(folder: Path) -> None:
    """Ninety days of a world as Parquet files; seeded."""
    rng = np.random.default_rng(7)
    ids = pa.array([f"c{i:07d}" for i in range(CUSTOMERS)])
    last = np.datetime64(AS_OF, "us")

    def moments(n: int) -> pa.Array:
        past = rng.integers(1, 90 * 86_400 * 10**6, n).astype("timedelta64[us]")
        return pa.array(last - past, pa.timestamp("us", "UTC"))

    def some(n: int) -> pa.Array:
        return ids.take(pa.array(rng.integers(0, CUSTOMERS, n)))

    def write(name: str, **columns: object) -> pa.Table:
        table = pa.table(columns)
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=250_000)
        return table

    customers = write(
        "customers",
        customer_id=ids,
        segment=rng.choice(["family", "single", "senior", "business"], CUSTOMERS),
        **{name: rng.normal(size=CUSTOMERS) for name in NUMBERS},
        sms_consent=rng.random(CUSTOMERS) < 0.6,
        call_consent=rng.random(CUSTOMERS) < 0.4,
    )
    pq.write_table(customers.slice(0, DECIDED), folder / "deciding.parquet", row_group_size=20_000)
    midnight = np.full(CUSTOMERS, last)
    write("spine", customer_id=ids, as_of=pa.array(midnight, pa.timestamp("us", "UTC")))
    kinds = rng.choice(
        ["visit", "contact", "purchase", "service_call"], EVENTS, p=[0.6, 0.2, 0.15, 0.05]
    )
    spent = np.where(kinds == "purchase", rng.lognormal(3, 0.5, EVENTS).round(2), np.nan)
    write(
        "interactions",
        event_id=pa.array(np.arange(EVENTS)).cast(pa.string()),
        customer_id=some(EVENTS),
        event_time=moments(EVENTS),
        kind=kinds,
        amount=pa.array(spent, from_pandas=True),
    )
    numbers = pa.array(np.arange(DECISIONS)).cast(pa.string())
    treatment = rng.integers(0, 29, DECISIONS)
    offer = np.array(["none", *(f"o{i % OFFERS}" for i in range(28))])[treatment]
    write(
        "decisions",
        decision_id=numbers,
        customer_id=some(DECISIONS),
        decided_at=moments(DECISIONS),
        action_id=offer,
    )
    write(
        "outcomes",
        decision_id=numbers.take(pa.array(rng.choice(DECISIONS, OUTCOMES, replace=False))),
        observed_at=moments(OUTCOMES),
        kind=rng.choice(["response", "purchase", "opt_out"], OUTCOMES),
        value=rng.lognormal(3, 0.5, OUTCOMES).round(2),
    )
    days = last + rng.integers(0, 5, PROFILED).astype("timedelta64[D]")
    write(
        "log",
        at=pa.array(days, pa.timestamp("us", "UTC")),
        model_version=np.full(PROFILED, "7"),
        # More columns of distinct values would be slower by far on the peer than on ours.
        score=rng.normal(size=PROFILED),
        **{f"count_{i}": rng.poisson(2 + i, PROFILED).astype(float) for i in range(2)},
        spend=rng.lognormal(3, 0.5, PROFILED).round(2),
        treatment=np.array([f"o{i}" for i in range(29)])[rng.integers(0, 29, PROFILED)],
        segment=rng.choice(["family", "single", "senior"], PROFILED),
        control_group=rng.random(PROFILED) < 0.1,
    )
