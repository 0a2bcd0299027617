"""What two versions can be compared by, and which test suits which measure.

| measure | compared by | because it is |
| --- | --- | --- |
| value | the paired lift's interval, paired t test | a mean over decisions that share their luck |
| log_loss, brier | paired t interval and test | a mean over decisions, too |
| auc | DeLong | a mean over pairs of decisions, which overlap |
| capture | McNemar | yes or no per responder: among the tenth scored highest? |
| calibration_… | paired bootstrap | a ratio, a slope or a sum of gaps, and no mean |
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nextbest.errors import UsageError
from nextbest.evaluation.comparison.paired import Interval, Test

HIGHER, LOWER = "higher", "lower"
BETTER = {
    "value": HIGHER, "auc": HIGHER, "log_loss": LOWER, "brier": LOWER, "capture": HIGHER,
    "calibration_error": LOWER, "calibration_ratio": LOWER, "calibration_slope": LOWER,
}  # fmt: skip
USUAL = ("value", "auc", "log_loss", "calibration_error")
SLICED = ("value", "auc", "log_loss", "brier")


@dataclass(frozen=True)
class Compared:
    """One measure of both versions over n rows; differences are second less first.

    difference: in the measure's unit (of calibration_ratio and _slope: of their distances from 1);
    effect: name and size; checks: other tests of the same, which nothing hangs on; also: another
    interval (BCa); spread: sd of the rows' differences, None where it is no mean over rows;
    adjusted: the p-value corrected for how many tests there were (None: not yet).
    """

    metric: str
    head: str
    n: int
    first: float
    second: float
    difference: Interval
    test: Test
    effect: tuple[str, float]
    checks: tuple[Test, ...] = ()
    also: Interval | None = None
    spread: float | None = None
    adjusted: float | None = None

    @property
    def name(self) -> str:
        """The metric, with its outcome where it has one."""
        return f"{self.metric} ({self.head})" if self.head else self.metric

    @property
    def better(self) -> str:
        """Whether higher or lower differences speak for the second version."""
        return BETTER[self.metric]

    @property
    def gain(self) -> float:
        """The difference, above 0 where it speaks for the second version."""
        return self.difference.value if self.better == HIGHER else -self.difference.value

    def different(self, confidence: float) -> bool:
        """Whether both the corrected p-value and the interval say so."""
        p = self.test.p_value if self.adjusted is None else self.adjusted
        return p <= 1 - confidence and not self.difference.low <= 0 <= self.difference.high


def known(names: Sequence[str]) -> tuple[str, ...]:
    """The metrics named, each once; raises UsageError for all that there are not."""
    wrong = []
    for name in names:
        if name not in BETTER:
            near = difflib.get_close_matches(name, BETTER, n=1)
            wrong.append(f"'{name}'" + (f" (did you mean {near[0]}?)" if near else ""))
    if wrong or not names:
        raise UsageError(
            f"--metrics: no metric {', '.join(wrong) or 'is named'}; there are {', '.join(BETTER)}"
        )
    return tuple(dict.fromkeys(names))


def corrected(found: Sequence[Compared], p_values: np.ndarray) -> list[Compared]:
    """The same with their adjusted p-values."""
    return [
        dataclasses.replace(each, adjusted=float(p))
        for each, p in zip(found, p_values, strict=True)
    ]
