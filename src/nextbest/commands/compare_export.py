"""A comparison of two versions as a file: JSON, CSV, Markdown or a page."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nextbest.commands.compare_text import as_text, verdict
from nextbest.errors import PlatformError

if TYPE_CHECKING:
    from nextbest.evaluation.comparison.measures import Compared
    from nextbest.lifecycle.comparing import Comparison, Part

CSV_HEAD = (
    "dataset", "attribute", "segment", "metric", "outcome", "n", "first", "second", "difference",
    "low", "high", "test", "statistic", "p", "adjusted_p", "effect", "effect_size", "verdict",
)  # fmt: skip


def write(found: Comparison, path: Path) -> None:
    """Write a comparison in the format that the suffix names; an earlier file is replaced.

    Raises PlatformError when it can't be written.
    """
    if path.suffix.lower() == ".html":
        from nextbest.commands.compare_page import page

        text = page(found)
    else:
        text = {".json": as_json, ".csv": as_csv, ".md": as_markdown}[path.suffix.lower()](found)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlatformError(f"{path} can't be written ({error}); give another --export") from error


def as_json(found: Comparison) -> str:
    """Everything as one JSON object; what is no finite number is null."""
    answer = {
        "first": vars(found.first),
        "second": vars(found.second),
        "as_of": found.as_of,
        "confidence": found.confidence,
        "recommendation": vars(found.recommendation),
        "datasets": [_part(part, found.confidence) for part in found.parts],
    }
    return json.dumps(_plain(answer), indent=1, default=str)


def as_csv(found: Comparison) -> str:
    """A row for each measure, of the whole (no segment) and of each slice."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for part in found.parts:
        rows = [("", "", each) for each in part.compared]
        rows += [(each.attribute, each.segment, each.compared) for each in part.slices]
        for attribute, segment, each in rows:
            told = _compared(each, found.confidence)
            test, (effect, size) = each.test, each.effect
            writer.writerow([
                part.name, attribute, segment, each.metric, each.head, each.n, each.first,
                each.second, each.difference.value, each.difference.low, each.difference.high,
                test.name, test.statistic, test.p_value, each.adjusted, effect, size,
                told["verdict"],
            ])  # fmt: skip
    return text.getvalue()


def as_markdown(found: Comparison) -> str:
    """For a pull request or a ticket: the recommendation, a table per set of decisions."""
    lines = [
        f"# {found.second.text} against {found.first.text}", "",
        f"**{found.recommendation.action}**", "",
        *(f"- {reason}" for reason in found.recommendation.reasons),
    ]  # fmt: skip
    for part in found.parts:
        first, last = part.days
        lines += ["", f"## {part.name}: {part.decisions:,} decisions, {first} to {last}", ""]
        lines += ["| metric | first | second | difference | interval | p | |",
                  "| --- | --: | --: | --: | --- | --: | --- |"]  # fmt: skip
        lines += [
            f"| {each.name} | {each.first:.4g} | {each.second:.4g} | {each.difference.value:+.4g} "
            f"| [{each.difference.low:+.4g}, {each.difference.high:+.4g}] | {each.adjusted:.3g} "
            f"| {verdict(each, found.confidence)} |"
            for each in part.compared
        ]
        lines += ["", *(f"- not told: {each.name}: {each.reason}" for each in part.failed)]
    told = as_text(found, detailed=True, advice=False)
    return "\n".join([*lines, "", "```", told, "```", ""])


def _part(part: Part, confidence: float) -> dict[str, Any]:
    slices = [
        {
            "attribute": each.attribute,
            "segment": each.segment,
            **_compared(each.compared, confidence),
        }
        for each in part.slices
    ]
    frames = {name: getattr(part, name).to_dict("records")
              for name in ("exchanges", "segments", "extremes")}  # fmt: skip
    return {
        "name": part.name, "note": part.note, "decisions": part.decisions,
        "customers": part.customers, "days": part.days, "digest": part.digest,
        "compared": [_compared(each, confidence) for each in part.compared],
        "failed": [vars(each) for each in part.failed],
        "slices": slices, "thin": [vars(each) for each in part.thin],
        "power": None if part.plan is None else vars(part.plan),
        "agreement": vars(part.agreement), "doubts": part.doubts, **frames,
        "calibration": {
            head: {"first": first.to_dict("records"), "second": second.to_dict("records")}
            for head, (first, second) in part.curves.items()
        },
    }  # fmt: skip


def _compared(each: Compared, confidence: float) -> dict[str, Any]:
    effect, size = each.effect
    return {
        "metric": each.metric, "outcome": each.head, "n": each.n, "better": each.better,
        "first": each.first, "second": each.second, "difference": vars(each.difference),
        "test": vars(each.test), "adjusted_p": each.adjusted,
        "effect": {"name": effect, "size": size}, "spread": each.spread,
        "checks": [vars(test) for test in each.checks],
        "bca": None if each.also is None else vars(each.also),
        "verdict": verdict(each, confidence) or "no difference shown",
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):  # numpy's, too
        return float(value) if math.isfinite(value) else None
    if value is pd.NaT or value is pd.NA:
        return None
    return value.item() if hasattr(value, "item") else value
