"""What an evaluation found, as tables for people and as JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from nextbest.evaluation.ope.estimators import Estimate
from nextbest.evaluation.ope.segments import SegmentValue
from nextbest.evaluation.ope.value import PolicyValue


@dataclass(frozen=True)
class Report:
    """One evaluation: of which log, what it found, and why it must not be relied on (none: go)."""

    log: str
    confidence: float
    value: PolicyValue
    reasons: tuple[str, ...]
    segment: str | None
    segments: tuple[SegmentValue, ...]
    picture: str


def refusal(log: str, reason: str) -> str:
    """The JSON of a log from which nothing can be said."""
    return json.dumps({"log": log, "go": False, "reasons": [reason]}, indent=2)


def as_json(report: Report) -> str:
    """Everything in the report; numbers that are not finite become null."""
    told = {
        "log": report.log,
        "confidence": report.confidence,
        "go": not report.reasons,
        "reasons": list(report.reasons),
        **_value(report.value),
        "picture": report.picture,
    }
    if report.segment is not None:
        told["segment"] = report.segment
        told["segments"] = [
            {
                "segment": each.segment,
                "n": each.n,
                "go": not each.reasons,
                "reasons": list(each.reasons),
                **(_value(each.value) if each.value is not None else {}),
            }
            for each in report.segments
        ]
    return json.dumps(_finite(told), indent=1, allow_nan=False)


def print_table(report: Report) -> None:
    """Print the report to stdout: as wide as the terminal, and never cut when there is none."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    value, level = report.value, f"{100 * report.confidence:g} %"
    logging = value.logging
    console.print(f"{report.log}: {logging.n:,} decisions", markup=False)
    console.print(
        f"logging policy: {logging.value:.6g} per decision, {level} {_interval(logging)}",
        markup=False,
    )
    console.print(_estimates(value, level))
    for choice in value.chosen.values():
        tried = ", ".join(f"{candidate.strength:g}" for candidate in choice.candidates)
        console.print(
            f"{choice.estimator}: λ = {choice.strength:g}, chosen by SLOPE from {tried}",
            markup=False,
        )
    bound = value.estimates.get("clipped_ips")
    if bound is not None:
        console.print(f"clipped_ips: biased by at most {bound.bias_bound:.4g}", markup=False)
    facts = value.diagnostics
    console.print(
        f"effective sample {facts.ess:,.1f} of {facts.n:,} · largest weight {facts.max_weight:.5g} "
        f"· mean weight {facts.mean_weight:.4f} "
        f"[{facts.mean_weight_low:.4f}, {facts.mean_weight_high:.4f}] · "
        f"positive rewards {facts.positive_rewards:,}",
        markup=False,
    )
    if report.segment is not None:
        console.print(_segments(report, level))
    verdict = "GO" if not report.reasons else "NO-GO"
    console.print(
        f"{verdict}{': ' if report.reasons else ''}{'; '.join(report.reasons)}", markup=False
    )
    console.print(f"weights: {report.picture}", markup=False, soft_wrap=True)


def shown(value: PolicyValue) -> dict[str, Estimate]:
    """The estimates worth a row: of a grid of λ only the chosen ones."""
    chosen = {choice.estimator for choice in value.chosen.values()}
    return {
        name: each for name, each in value.estimates.items() if "@" not in name or name in chosen
    }


def _estimates(value: PolicyValue, level: str) -> object:
    from rich.table import Table

    table = Table("estimator", "value", level, "std. error", "lift over logging", level)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, each in shown(value).items():
        lift = value.lifts[name]
        table.add_row(
            name,
            f"{each.value:.6g}",
            _interval(each),
            f"{each.standard_error:.3g}",
            f"{lift.value:+.6g}",
            _interval(lift),
        )
    return table


def _segments(report: Report, level: str) -> object:
    from rich.table import Table

    best = "dr" if "dr" in report.value.estimates else "snips"
    table = Table(report.segment, "decisions", f"{best} value", level, "lift", level, "verdict")
    for each in report.segments:
        row = [each.segment, f"{each.n:,}"]
        if each.reasons or each.value is None:
            row += ["", "", "", "", "refused: " + "; ".join(each.reasons)]
        else:
            value, lift = each.value.estimates[best], each.value.lifts[best]
            row += [f"{value.value:.6g}", _interval(value), f"{lift.value:+.6g}", _interval(lift)]
            row.append("go")
        table.add_row(*row)
    return table


def _interval(estimate: Estimate) -> str:
    return f"({estimate.low:.6g}, {estimate.high:.6g})"


def _value(value: PolicyValue) -> dict[str, object]:
    return {
        "n": value.logging.n,
        "logging": asdict(value.logging),
        "estimates": {name: asdict(each) for name, each in value.estimates.items()},
        "lifts": {name: asdict(each) for name, each in value.lifts.items()},
        "chosen": {kind: asdict(choice) for kind, choice in value.chosen.items()},
        "diagnostics": asdict(value.diagnostics),
    }


def _finite(told: object) -> object:
    if isinstance(told, Mapping):
        return {name: _finite(each) for name, each in told.items()}
    if isinstance(told, list | tuple):
        return [_finite(each) for each in told]
    if isinstance(told, float):
        return float(told) if math.isfinite(told) else None
    return told
