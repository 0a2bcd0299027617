"""Gates: named conditions with their evidence. What can't be measured has not passed."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

from nextbest.errors import NextBestError

Measurement = Real | NextBestError | None  # an error: why the metric can't be computed (attempt)

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Gate:
    """Metric `metric` must be `op` (> >= < <=) `threshold`, because of `why`."""

    name: str
    metric: str
    op: str
    threshold: float
    why: str


@dataclass(frozen=True)
class Finding:
    """A gate with what was measured (None: nothing that counts) and the reason, in words."""

    gate: Gate
    value: float | None
    passed: bool
    reason: str


@dataclass(frozen=True)
class Verdict:
    """Passed only if there were gates and every one of them did; `text` is one paragraph."""

    passed: bool
    findings: tuple[Finding, ...]
    text: str

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was refused: the reasons of the gates that did not pass."""
        return tuple(finding.reason for finding in self.findings if not finding.passed)

    def as_dict(self) -> dict[str, object]:
        """The verdict as JSON takes it: numbers, strings, and null for what was not measured."""
        return {
            "passed": self.passed,
            "text": self.text,
            "findings": verdict_table(self),
        }


def judge(gates: Sequence[Gate], measurements: Mapping[str, Measurement]) -> Verdict:
    """Hold every gate against its measurement.

    A metric that is missing, None, not a finite number, or an error has not passed; neither has a
    gate with an unknown comparison, nor a verdict without any gate.
    """
    findings = tuple(_find(gate, measurements) for gate in gates)
    passed = bool(findings) and all(finding.passed for finding in findings)
    return Verdict(passed, findings, _text(findings))


def verdict_table(verdict: Verdict) -> list[dict[str, object]]:
    """One row per gate: gate, metric, value, condition, passed, reason, why."""
    return [
        {
            "gate": finding.gate.name,
            "metric": finding.gate.metric,
            "value": finding.value,
            "condition": _condition(finding.gate),
            "passed": finding.passed,
            "reason": finding.reason,
            "why": finding.gate.why,
        }
        for finding in verdict.findings
    ]


def _find(gate: Gate, measurements: Mapping[str, Measurement]) -> Finding:
    if gate.op not in COMPARE:
        known = " ".join(COMPARE)
        return _unmeasured(gate, f"'{gate.op}' is no comparison; it must be one of {known}")
    if not _is_finite(gate.threshold):
        return _unmeasured(gate, f"its threshold is {gate.threshold}, which is no finite number")
    if gate.metric not in measurements:
        return _unmeasured(gate, f"{gate.metric} was not measured")
    value = measurements[gate.metric]
    if isinstance(value, BaseException):
        return _unmeasured(gate, f"{gate.metric} can't be computed: {value}")
    if not _is_finite(value):
        return _unmeasured(gate, f"{gate.metric} is {value}, which is no finite number")
    value = float(value)
    passed = COMPARE[gate.op](value, float(gate.threshold))
    must = "as it must be" if passed else "and must be"
    reason = f"{gate.name}: {gate.metric} is {value:.6g}, {must} {gate.op} {gate.threshold:g}"
    return Finding(gate, value, passed, reason if passed else f"{reason} ({gate.why})")


def _unmeasured(gate: Gate, reason: str) -> Finding:
    return Finding(gate, None, False, f"{gate.name}: {reason} ({gate.why})")


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _condition(gate: Gate) -> str:
    threshold = f"{gate.threshold:g}" if _is_finite(gate.threshold) else gate.threshold
    return f"{gate.metric} {gate.op} {threshold}"


def _text(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Refused: there was no gate to pass."
    refused = [finding.reason for finding in findings if not finding.passed]
    if refused:
        return f"Refused: {len(refused)} of {len(findings)} gates not passed. {'; '.join(refused)}."
    told = "; ".join(finding.reason for finding in findings)
    return f"Passed: all {len(findings)} gates. {told}."
