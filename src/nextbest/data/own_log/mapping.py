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

    def uses(self) -> Iterator[tuple[str, str]]:
        """Every (place in the mapping, column of the log) pair."""
        values = {
            f"decisions.{name}": getattr(self, name)
            for name in ("decision_id", "customer_id", "action_id", "channel", "policy",
                         "policy_version", "control_group")
        }  # fmt: skip
        values["decisions.propensity"] = self.propensity.value
        times = {"decisions.decided_at": self.decided_at}
        for each in self.outcomes:
            values[f"outcomes.{each.kind}.reward"] = each.reward
            values[f"outcomes.{each.kind}.value"] = each.value
            times[f"outcomes.{each.kind}.observed_at"] = each.observed_at
        for place, value in values.items():
            yield from ((place, name) for name in (value.columns if value else ()))
        for place, time in times.items():
            if time is not None and time.column is not None:
                yield place, time.column
        if self.eligible.column is not None:
            yield "decisions.eligible", self.eligible.column
        yield from (("decisions.propensity", name) for name in self.propensity.by)
        yield from ((f"customers.{each.name}", each.column) for each in self.attributes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the log that it reads."""
        return tuple(dict.fromkeys(name for _, name in self.uses()))
