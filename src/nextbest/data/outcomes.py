"""What came of decisions: responses, organic purchases and opt-outs, each after its delay."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa

from nextbest.data.draws import text_keys, uniform
from nextbest.data.interactions import fatigue
from nextbest.data.truth import (
    DELAYS,
    ORGANIC_DELAY,
    opt_out_probability,
    organic_probability,
    response_probability,
)
from nextbest.data.world import OPT_OUT_VALUE, ORGANIC_VALUE, VALUES, World

_DAY = 86_400_000_000  # microseconds


def outcomes(world: World, base: pd.DataFrame, decisions: pd.DataFrame, as_of: dt.date) -> pa.Table:
    """Outcomes of decisions that were seen before the midnight of `as_of`, as in table `outcomes`.

    `decisions` has row (position in `base`), decided_at (datetime64[us]), treatment (index into
    TREATMENTS) and decision_id. What comes of a decision, and when, depends on (seed,
    decision_id) and the world alone: a later `as_of` only sees more of it. `reward` is 1 for a
    response or a purchase and 0 for an opt-out; `value` is money.
    """
    key = text_keys(decisions["decision_id"])
    treatment = decisions["treatment"].to_numpy()
    decided = decisions["decided_at"].to_numpy().astype("datetime64[us]")
    days = decided.astype("datetime64[D]")
    who = base.iloc[decisions["row"].to_numpy()]
    worn = fatigue(world, who, days)
    picked = (np.arange(len(decisions)), treatment)
    kinds = (
        ("response", response_probability(world, who, days, worn)[picked], VALUES[treatment],
         DELAYS[treatment], 1.0),
        ("purchase", organic_probability(who)[picked], ORGANIC_VALUE, ORGANIC_DELAY, 1.0),
        ("opt_out", opt_out_probability(worn)[picked], OPT_OUT_VALUE, DELAYS[treatment], 0.0),
    )  # fmt: skip
    margin = who["monthly_margin"].to_numpy()
    cutoff = np.datetime64(as_of).astype("datetime64[us]").astype(np.int64)
    tables = []
    for kind, chance, months, delay, reward in kinds:
        wait = -np.log(uniform(world.seed, f"{kind} delay", key)) * delay
        observed = decided.astype(np.int64) + (wait * _DAY).astype(np.int64)
        seen = np.nonzero((uniform(world.seed, kind, key) < chance) & (observed < cutoff))[0]
        tables.append(
            pa.table(
                {
                    "decision_id": pa.array(decisions["decision_id"].to_numpy()[seen], pa.string()),
                    "observed_at": pa.array(observed[seen], pa.timestamp("us", tz="UTC")),
                    "kind": pa.array(np.full(len(seen), kind), pa.string()),
                    "reward": pa.array(np.full(len(seen), reward)),
                    "value": pa.array((months * margin)[seen]),
                }
            )
        )
    return pa.concat_tables(tables)
