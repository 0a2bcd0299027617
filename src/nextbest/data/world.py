"""The simulated world as it stands: its customers, its treatments and what it was told to do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import gammaincinv

from nextbest.data.draws import normal, uniform
from nextbest.errors import DataError, SettingsError

ATTRIBUTES = (
    "digital_affinity", "price_sensitivity", "usage_level", "service_need", "family_score",
    "novelty_seeking",
)  # fmt: skip

# Share of each segment and by how much its attributes differ from N(0, 1).
SEGMENTS = {
    "value_seeker": (0.40, {"price_sensitivity": 0.7}),
    "loyal": (0.30, {"family_score": 0.7, "novelty_seeking": -0.7}),
    "digital_native": (0.20, {"digital_affinity": 0.7, "novelty_seeking": 0.7}),
    "high_value": (0.10, {"usage_level": 0.7, "price_sensitivity": -0.7}),
}

DRIFTS = ("none", "covariate", "concept", "both")
# Covariate drift: a portfolio is taken over, half as many customers again, and its customers
# differ in these attributes. The customers of before stay what they were, so that a table with
# one row per customer still tells the truth about the days before.
NEWCOMER_SHARE = 0.5
NEWCOMER_SHIFT = {"price_sensitivity": 2.0, "usage_level": -2.0}


@dataclass(frozen=True)
class Offer:
    """What can be offered: intercept of its response logit, value in monthly margins."""

    action_id: str
    intercept: float
    value: float
    min_tenure: int  # months


@dataclass(frozen=True)
class Channel:
    """How it can be said: logit added, cost per contact, opt-out hazard, mean delay in days."""

    name: str
    logit: float
    cost: float
    opt_out: float
    delay: float
    consent: str = ""  # the column of customers that must be true


OFFERS = (
    Offer("retention_discount", -3.6, 0.10, 12),
    Offer("roaming_pack", -3.9, 0.15, 0),
    Offer("streaming_addon", -4.2, 0.25, 0),
    Offer("data_upgrade", -4.6, 0.45, 3),
    Offer("family_plan", -4.9, 0.70, 6),
    Offer("device_upgrade", -5.2, 0.95, 12),
    Offer("home_internet", -5.6, 1.40, 0),
)
CHANNELS = (
    Channel("email", 0.0, 0.002, 0.0015, 3.0),
    Channel("sms", 0.35, 0.04, 0.0045, 3.0, "sms_consent"),
    Channel("push", 0.15, 0.005, 0.0030, 3.0),
    Channel("call", 1.4, 2.5, 0.0060, 0.5, "call_consent"),
)
NONE = "none"
ORGANIC_VALUE = 1.0  # of a purchase nobody asked for, in monthly margins
OPT_OUT_VALUE = -2.0
PAIRS = tuple((offer, channel) for offer in OFFERS for channel in CHANNELS)
TREATMENTS = (NONE, *(f"{offer.action_id}:{channel.name}" for offer, channel in PAIRS))
COSTS = np.array([0.0, *(channel.cost for _, channel in PAIRS)])
VALUES = np.array([ORGANIC_VALUE, *(offer.value for offer, _ in PAIRS)])


@dataclass(frozen=True)
class World:
    """What the simulated world was told; two equal worlds are the same world, day for day.

    `decisions_per_day` is how many customers the logging policy treats on each of the
    `history_days` before as_of; outcomes count for `attribution_days`. From `drift_from` on,
    drift "covariate" brings other customers, "concept" changes how customers respond, and "both"
    does both.
    Raises SettingsError with everything that is wrong.
    """

    seed: int
    customers: int
    history_days: int
    decisions_per_day: int
    attribution_days: int
    drift: str  # one of DRIFTS
    drift_from: dt.date

    @property
    def population(self) -> int:
        """How many customers there ever are, newcomers included."""
        newcomers = (
            int(NEWCOMER_SHARE * self.customers) if self.drift in ("covariate", "both") else 0
        )
        return self.customers + newcomers

    def __post_init__(self) -> None:
        problems = [
            f"'{name}' is {getattr(self, name)}; it must be at least 1"
            for name in ("customers", "history_days", "decisions_per_day", "attribution_days")
            if getattr(self, name) < 1
        ]
        if self.decisions_per_day > self.customers:
            problems.append(
                f"'decisions_per_day' is {self.decisions_per_day}, more than the"
                f" {self.customers} 'customers': at most one decision per customer and day"
            )
        if self.drift not in DRIFTS:
            problems.append(f"'drift' is '{self.drift}': use {', '.join(DRIFTS)}")
        if problems:
            raise SettingsError("simulated world: " + "; ".join(problems))


def customers(world: World, as_of: dt.date) -> pd.DataFrame:
    """Customers known at the midnight that begins `as_of`, one row each, as in table `customers`.

    Newcomers are among them from `drift_from` on.
    """
    number = np.arange(world.population if as_of >= world.drift_from else world.customers)
    names = np.array(list(SEGMENTS), dtype=object)
    bounds = np.cumsum([share for share, _ in SEGMENTS.values()])[:-1]
    segment = np.searchsorted(bounds, uniform(world.seed, "segment", number), side="right")
    shifts = np.array([[s.get(name, 0.0) for name in ATTRIBUTES] for _, s in SEGMENTS.values()])
    x = normal(world.seed, "attributes", number[:, None], np.arange(len(ATTRIBUTES)))
    x = x + shifts[segment]
    x[world.customers :] += [NEWCOMER_SHIFT.get(name, 0.0) for name in ATTRIBUTES]
    margin = np.exp(3.4 + 0.6 * normal(world.seed, "margin", number))
    tenure = 20.0 * gammaincinv(1.6, uniform(world.seed, "tenure", number))
    return pd.DataFrame(
        {
            "customer_id": [f"c-{n:07d}" for n in number],
            "segment": names[segment],
            "tenure_months": np.minimum(tenure, 120.0),
            "monthly_margin": margin * np.where(names[segment] == "high_value", 1.8, 1.0),
            **{name: x[:, k] for k, name in enumerate(ATTRIBUTES)},
            "call_consent": uniform(world.seed, "call consent", number) < 0.35,
            "sms_consent": uniform(world.seed, "sms consent", number) < 0.80,
        }
    )


def customer_numbers(customer_ids: pd.Series, known: int) -> np.ndarray:
    """Positions [n] of customers in the world, which key every draw about them.

    Raises DataError when some are not among the `known` first customers of a simulated world.
    """
    texts = pa.array(customer_ids, pa.string())
    fits = pc.fill_null(pc.match_substring_regex(texts, r"^c-\d{7}$"), False)
    digits = pc.if_else(fits, pc.utf8_slice_codeunits(texts, 2), "9999999")
    number = digits.cast(pa.int64()).to_numpy()
    strangers = np.nonzero(number >= known)[0]
    if len(strangers):
        raise DataError(
            f"{len(strangers)} of {len(number)} rows are of customers that this simulated world of"
            f" {known} does not know, such as {texts[strangers[0]].as_py()!r}: the tables hold"
            " rows of another source or of a larger world; give each a schema of its own"
        )
    return number


def actions() -> pd.DataFrame:
    """The 29 treatments as in table `actions`, in the order of TREATMENTS."""
    rows = [(NONE, NONE, NONE, ORGANIC_VALUE, 0.0, "true", None)]
    rows += [
        (f"{o.action_id}:{c.name}", o.action_id, c.name, o.value, c.cost, _rule(o),
         c.consent or None)
        for o, c in PAIRS
    ]  # fmt: skip
    columns = ["treatment", "action_id", "channel", "value", "cost", "eligibility", "consent"]
    return pd.DataFrame(rows, columns=columns)


def eligible(base: pd.DataFrame) -> np.ndarray:
    """Which treatments [n, 29] are open to customers (rows of table `customers`)."""
    allowed = np.ones((len(base), len(TREATMENTS)), dtype=bool)
    tenure = base["tenure_months"].to_numpy()
    for k, (offer, channel) in enumerate(PAIRS, start=1):
        allowed[:, k] = tenure >= offer.min_tenure
        if channel.consent:
            allowed[:, k] &= base[channel.consent].to_numpy(dtype=bool)
    return allowed


def _rule(offer: Offer) -> str:
    return f"tenure_months >= {offer.min_tenure}" if offer.min_tenure else "true"
