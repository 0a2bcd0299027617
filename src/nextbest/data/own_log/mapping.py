"""What a log's columns mean: the mapping as frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from nextbest.data.own_log.expressions import Expression
from nextbest.data.own_log.files import Dialect

ROW = "row"  # a decision's id, or a customer's, where the log has none: the row's number
ISO = ("iso",)


@dataclass(frozen=True)
class Value:
    """Where a value comes from: exactly one of column, constant and expression.

    `values` replaces texts by others, those it does not name stay unless there is an `otherwise`.
    `empty` is what an empty value means (None: nothing, and a contract may refuse that).
    """

    column: str | None = None
    constant: str | None = None
    expression: Expression | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    empty: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the log that it reads."""
        if self.expression is not None:
            return self.expression.columns
        return () if self.column is None else (self.column,)


@dataclass(frozen=True)
class Moment:
    """A time: of a column in some formats, or dealt evenly over `days` from a first day.

    A dealt time is for a log without times whose rows were drawn alike: it only lets learning and
    holding out be told apart, by a hash of the row.
    """

    column: str | None = None
    formats: tuple[str, ...] = ISO
    first: str | None = None
    days: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the log that it reads."""
        return () if self.column is None else (self.column,)


@dataclass(frozen=True)
class Eligible:
    """What could have been chosen: all, all_of_channel, a column's list, or these treatments.

    A list is of actions, each meant by the row's channel, or of treatments (`action:channel`).
    """

    how: str
    column: str | None = None
    separator: str | None = None
    of: str = "actions"
    treatments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Propensity:
    """How the chance of the logged choice is known: value, uniform, empirical or unknown.

    `by` are the columns that the randomisation went by: shares are counted within their values
    (and within each eligible set and policy).
    """

    how: str
    value: Value | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A kind of outcome: reward in [0, 1], value in money, when it was seen.

    Nothing came of a row whose reward and value are 0. Without `value`, it is reward × worth.
    `worth` is what one such outcome brings on average: decisions weigh it. Without `observed_at`
    it was seen `delay_days` after the decision.
    """

    kind: str
    reward: Value
    worth: float
    value: Value | None = None
    observed_at: Moment | None = None
    delay_days: float = 0.0


@dataclass(frozen=True)
class Attribute:
    """A column of table customers, known at the decision: number or text."""

    name: str
    column: str
    kind: str


@dataclass(frozen=True)
class LogMapping:
    """How one log becomes tables; `file` is where it was read."""

    file: str
    dialect: Dialect
    decided_at: Moment
    action_id: Value
    channel: Value
    eligible: Eligible
    propensity: Propensity
    outcomes: tuple[Outcome, ...]
    decision_id: Value | None = None
    customer_id: Value | None = None
    policy: Value = Value(constant="logged")
    policy_version: Value = Value(constant="1")
    control_group: Value = Value(constant="0")
    attributes: tuple[Attribute, ...] = ()
    actions: str | None = None

    def parts(self) -> Iterator[tuple[str, str, str, Value | Moment]]:
        """What each row is read for: field of the flat row, place in the mapping, kind, source.

        Kinds are text, number and moment. Outcome k has the fields o<k>_…, attribute k a<k>.
        """
        for name in ("decision_id", "customer_id", "action_id", "channel", "policy",
                     "policy_version"):  # fmt: skip
            if (value := getattr(self, name)) is not None:
                yield name, f"decisions.{name}", "text", value
        yield "decided_at", "decisions.decided_at", "moment", self.decided_at
        yield "control_group", "decisions.control_group", "number", self.control_group
        if self.propensity.value is not None:
            yield "propensity", "decisions.propensity", "number", self.propensity.value
        for k, each in enumerate(self.outcomes):
            place = f"outcomes.{each.kind}"
            yield f"o{k}_reward", f"{place}.reward", "number", each.reward
            if each.value is not None:
                yield f"o{k}_value", f"{place}.value", "number", each.value
            if each.observed_at is not None:
                yield f"o{k}_at", f"{place}.observed_at", "moment", each.observed_at
        for k, each in enumerate(self.attributes):
            yield f"a{k}", f"customers.{each.name}", each.kind, Value(column=each.column)

    def uses(self) -> Iterator[tuple[str, str]]:
        """Every (place in the mapping, column of the log) pair."""
        for _, place, _, source in self.parts():
            yield from ((place, name) for name in source.columns)
        if self.eligible.column is not None:
            yield "decisions.eligible", self.eligible.column
        yield from (("decisions.propensity", name) for name in self.propensity.by)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the log that it reads."""
        return tuple(dict.fromkeys(name for _, name in self.uses()))
