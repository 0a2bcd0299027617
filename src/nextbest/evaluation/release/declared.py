"""What a use case declares that a version must meet; thresholds as values, each with its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nextbest.errors import SettingsError
from nextbest.evaluation.gates import Gate

CONTACT, COST, VALUE = "contact", "cost", "value"
# What every use case either declares or says why it does not.
KINDS = ("contact rate", "cost per decision", "opt-out rate", "calibration", "slices", "fairness",
         "age of the holdout")  # fmt: skip


@dataclass(frozen=True)
class Guardrail:
    """A quantity per decision that may grow by at most a share of its mean in the log.

    quantity: "contact", "cost", or the name of a head (its rate). The upper end of the paired
    interval of candidate − baseline must not exceed `most` × the log's mean.
    """

    name: str
    quantity: str
    most: float


@dataclass(frozen=True)
class Calibration:
    """Bounds of calibration slope and ratio of one head, and the most of its calibration error."""

    head: str
    slope: tuple[float, float] = (0.7, 1.4)
    ratio: tuple[float, float] = (0.67, 1.5)
    error: float = 0.01


@dataclass(frozen=True)
class Slices:
    """Segments by one column, none of which may be shown to lose more than `most_loss`.

    `levels`: those that must be there (None: those that are found); `edges` cut a number into
    bands. most_loss: rewards per decision. A level is thin with an effective sample below
    `min_ess` or fewer than `min_positives` rewards: thin ones are pooled, by name.
    """

    column: str
    most_loss: float
    min_ess: float
    min_positives: float = 30
    levels: tuple[str, ...] | None = None
    edges: tuple[float, ...] = ()


@dataclass(frozen=True)
class Fairness:
    """The lowest group's mean of a quantity over the highest's must be at least `least`.

    quantity: as of a Guardrail, or "value"; .8 of a contact rate is the four-fifths rule (US
    Uniform Guidelines on Employee Selection Procedures, 1978, §4 D). Groups of fewer than
    `min_rows` decisions are pooled, by name.
    """

    column: str
    quantity: str = CONTACT
    least: float = 0.8
    min_rows: int = 100


@dataclass(frozen=True)
class Holdout:
    """Of what the rows must be: at least `min_rows`, the newest at most `max_age_days` old.

    max_null_shift: by how much a feature's share of nulls may differ from that of the rows that
    were learned from. max_age_days: from the newest decision to `as_of`; None: not asked.
    """

    min_rows: int = 500
    max_null_shift: float = 0.1
    max_age_days: float | None = None


@dataclass(frozen=True)
class Running:
    """What a version may cost to run: time per 1,000 rows, size of its files.

    The ratios are to the champion's. 5 times is beyond what a busy machine adds to a median.
    """

    max_milliseconds: float = 2000.0
    max_time_ratio: float = 5.0
    max_megabytes: float = 500.0
    max_size_ratio: float = 5.0


@dataclass(frozen=True)
class ReleaseGates:
    """The gates of one use case over one source.

    `absolute` are held against any measurement by its name (a verdict's JSON tells them).
    `unasked` tells for each of KINDS that is not declared why it is not: a source that can't know
    something says so, and the verdict repeats it. Raises SettingsError otherwise.
    """

    guardrails: tuple[Guardrail, ...]
    calibration: tuple[Calibration, ...]
    slices: tuple[Slices, ...]
    fairness: tuple[Fairness, ...]
    holdout: Holdout = Holdout()
    running: Running = Running()
    absolute: tuple[Gate, ...] = ()
    min_positives: float = 100
    unasked: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        declared = {each.name for each in self.guardrails}
        parts = {
            "calibration": self.calibration,
            "slices": self.slices,
            "fairness": self.fairness,
            "age of the holdout": self.holdout.max_age_days is not None,
        }
        declared |= {name for name, part in parts.items() if part}
        missing = [name for name in KINDS if name not in declared and not self.unasked.get(name)]
        twice = sorted(declared & set(self.unasked))
        problems = [f"neither a gate nor a reason for none on {name}" for name in missing]
        problems += [f"both a gate and a reason for none on {name}" for name in twice]
        if problems:
            raise SettingsError(f"gates of a use case: {'; '.join(problems)}")
