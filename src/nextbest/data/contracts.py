"""What each table promises: its columns, its key, and rules that every row must keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from nextbest.data.world import ATTRIBUTES, SEGMENTS
from nextbest.decisions.rule_parts import sql_text
from nextbest.errors import DataError


@dataclass(frozen=True)
class Column:
    """A column: its type as Spark writes it (simpleString), and whether it may be null."""

    name: str
    type: str
    comment: str
    nullable: bool = False


@dataclass(frozen=True)
class Reference:
    """A row of another table that each row belongs to: `columns` are that table's `parent` columns.

    `rules` (by name, Spark SQL) hold between the two: there the other row's columns are
    `parent.<column>`.
    """

    columns: tuple[str, ...]
    table: str
    parent: tuple[str, ...]
    rules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """A table's columns in their order, its key, and rules by name (Spark SQL, true per row).

    `references` name tables that stand before this one in `contracts`. `moment` is the column that
    tells when a row came about: it lies before the day that is read.
    """

    table: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    rules: Mapping[str, str]
    references: tuple[Reference, ...] = ()
    moment: str | None = None
    comment: str = ""

    @property
    def names(self) -> list[str]:
        """Names of the columns, in their order."""
        return [column.name for column in self.columns]

    def __post_init__(self) -> None:
        named = {*self.keys, *(name for each in self.references for name in each.columns)}
        named |= {self.moment} - {None}
        if strange := sorted(named - set(self.names)):
            raise DataError(
                f"contract of {self.table}: {', '.join(strange)} are no columns of it: it has"
                f" {', '.join(self.names)}"
            )


def contracts(source: str) -> dict[str, Contract]:
    """Contracts of the tables that a source of ours fills, by table name.

    Raises DataError when the source is unknown.
    """
    if source not in _CUSTOMERS:
        raise DataError(f"source '{source}' has no contracts: use one of {', '.join(_CUSTOMERS)}")
    if source == "open_bandit":
        return _contracts(_CUSTOMERS[source], ("click",), _COSTS, _ITEM_FEATURES)
    return _contracts(_CUSTOMERS[source], ("response", "purchase", "opt_out"), _COSTS)


def log_contracts(attributes: Sequence[Column], kinds: Sequence[str]) -> dict[str, Contract]:
    """Contracts of a log of one's own: what it knows of customers, and its kinds of outcome.

    Nothing is asked of the values of outcomes, but that they are numbers.
    """
    who = Column("customer_id", "string", "who")
    comment = "Whom we can decide for: as they were at their first decision"
    customers = Contract("customers", (who, *attributes), ("customer_id",), {}, comment=comment)
    return _contracts(customers, kinds)


def _contracts(
    customers: Contract,
    kinds: Sequence[str],
    outcome_rules: Mapping[str, str] = MappingProxyType({}),
    item_features: Sequence[Column] = (),
) -> dict[str, Contract]:
    actions = Contract(
        "actions",
        (*_ACTION, *item_features),
        ("action_id", "channel"),
        _ACTION_RULES,
        comment="What can be offered and how: one row per treatment",
    )
    outcomes = Contract(
        "outcomes",
        (
            Column("decision_id", "string", "of which decision"),
            Column("observed_at", "timestamp", "when it was seen (UTC)"),
            Column("kind", "string", f"one of {', '.join(kinds)}"),
            Column("reward", "double", "1 for what is hoped for, 0 else"),
            Column("value", "double", "money; what costs is negative"),
        ),
        ("decision_id", "kind"),
        {
            **one_of("kind", kinds),
            "reward between 0 and 1": "reward BETWEEN 0 AND 1",
            **outcome_rules,
        },
        (_OF_A_DECISION,),
        "observed_at",
        "What came of decisions",
    )
    tables = (customers, actions, _INTERACTIONS, _DECISIONS, outcomes)
    return {contract.table: contract for contract in tables}


def one_of(column: str, values: Sequence[str]) -> dict[str, str]:
    """The rule that a column has one of these values, by its name."""
    names = ", ".join(map(sql_text, values))
    return {f"{column} is one of {', '.join(values)}": f"{column} IN ({names})"}


_COSTS = {"only an opt-out costs": "IF(kind = 'opt_out', value <= 0, value >= 0)"}
_NAMED = {
    "treatment is none or action:channel": (
        "treatment = IF(action_id = 'none', 'none', concat(action_id, ':', channel))"
    )
}
_CUSTOMERS = {
    "simulated": Contract(
        "customers",
        (
            Column("customer_id", "string", "who"),
            Column("segment", "string", "segment the customer belongs to"),
            Column("tenure_months", "double", "months as a customer, at most 120"),
            Column("monthly_margin", "double", "money a month; the unit of every value"),
            *(Column(name, "double", "latent, N(0, 1) but for shifts") for name in ATTRIBUTES),
            Column("call_consent", "boolean", "may be called"),
            Column("sms_consent", "boolean", "may be sent text messages"),
        ),
        ("customer_id",),
        {
            **one_of("segment", tuple(SEGMENTS)),
            "0 <= tenure_months <= 120": "tenure_months BETWEEN 0 AND 120",
            "monthly_margin > 0": "monthly_margin > 0",
        },
        comment="Whom we can decide for",
    ),
    "open_bandit": Contract(
        "customers",
        (
            Column("customer_id", "string", "policy and row: users have no identity in the logs"),
            *(Column(f"user_feature_{k}", "string", "hashed") for k in range(4)),
            Column("past_clicks", "double", "sum of the user-item affinities"),
            Column("past_items", "double", "items with an affinity"),
        ),
        ("customer_id",),
        {"0 <= past_items <= past_clicks": "past_items BETWEEN 0 AND past_clicks"},
        comment="Whom we can decide for: one row per logged user",
    ),
}
_ACTION = (
    Column("treatment", "string", "none, or action_id:channel"),
    Column("action_id", "string", "what is offered"),
    Column("channel", "string", "how it is said"),
    Column("value", "double", "of a response (none: of an organic purchase), in monthly margins"),
    Column("cost", "double", "money per contact"),
    Column("lever", "double", "business weight in arbitration"),
    Column("eligibility", "string", "may a customer have it: a rule over customer_features"),
    Column("applicability", "string", "does it make sense now: a rule", nullable=True),
    Column("suitability", "string", "is it good for the customer: a rule", nullable=True),
    Column("consent", "string", "a boolean column, or a rule", nullable=True),
    Column("daily_capacity", "bigint", "contacts a day; null: unlimited", nullable=True),
    Column("valid_from", "timestamp", "null: always", nullable=True),
    Column("valid_to", "timestamp", "null: for ever", nullable=True),
)
_ITEM_FEATURES = (
    Column("item_feature_0", "double", "of the item"),
    *(Column(f"item_feature_{k}", "string", "hashed") for k in (1, 2, 3)),
)
_ACTION_RULES = {
    **_NAMED,
    "value >= 0": "value >= 0",
    "cost >= 0": "cost >= 0",
    "lever > 0": "lever > 0",
    "daily_capacity >= 0": "daily_capacity IS NULL OR daily_capacity >= 0",
    "valid_from < valid_to": "valid_from IS NULL OR valid_to IS NULL OR valid_from < valid_to",
}
_INTERACTIONS = Contract(
    "interactions",
    (
        Column("event_id", "string", "which event"),
        Column("customer_id", "string", "whose"),
        Column("event_time", "timestamp", "when (UTC)"),
        Column("kind", "string", "visit, contact, purchase or service_call"),
        Column("amount", "double", "money of a purchase", nullable=True),
    ),
    ("event_id",),
    {
        **one_of("kind", ("visit", "contact", "purchase", "service_call")),
        "amount >= 0": "amount IS NULL OR amount >= 0",
    },
    moment="event_time",
    comment="What customers did and met besides our decisions",
)
_DECISIONS = Contract(
    "decisions",
    (
        Column("decision_id", "string", "which decision"),
        Column("customer_id", "string", "about whom"),
        Column("decided_at", "timestamp", "when (UTC)"),
        Column("eligible", "array<string>", "treatments that were open"),
        Column("treatment", "string", "the one chosen"),
        Column("action_id", "string", "of the chosen treatment"),
        Column("channel", "string", "of the chosen treatment"),
        Column("propensity", "double", "exact probability with which the policy chose it"),
        Column("policy", "string", "who decided"),
        Column("policy_version", "string", "which version of it"),
        Column("control_group", "boolean", "held out from the policy"),
        Column("seed", "bigint", "of the choice"),
        Column("p_response", "double", "predicted probability of a response", nullable=True),
        Column("expected_value", "double", "predicted money", nullable=True),
        Column("reason_code", "string", "why this one, of our own decisions", nullable=True),
    ),
    ("decision_id",),
    {
        **_NAMED,
        "0 < propensity <= 1": "propensity > 0 AND propensity <= 1",
        "treatment is eligible": "array_contains(eligible, treatment)",
        "0 <= p_response <= 1": "p_response IS NULL OR p_response BETWEEN 0 AND 1",
    },
    (
        Reference(("customer_id",), "customers", ("customer_id",)),
        Reference(("treatment",), "actions", ("treatment",)),
    ),
    "decided_at",
    "Who was given what, when, and with which probability",
)
_OF_A_DECISION = Reference(
    ("decision_id",),
    "decisions",
    ("decision_id",),
    {"observed_at is not before decided_at": "observed_at >= parent.decided_at"},
)
