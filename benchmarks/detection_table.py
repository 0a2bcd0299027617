"""What the detection benchmark found, as tables, and where it missed its limits."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from detection_streams import SEASON
from detection_ways import OURS, OUTCOMES
from rich import box
from rich.console import Console
from rich.table import Table

FEW = 0.01  # days with a false verdict that are borne
WITHIN = 3  # windows until a concept drift is found from outcomes
CONCEPT, SEASONAL = "concept", "season"
CALM = {
    ("synthetic", SEASONAL): SEASON,
    ("synthetic", "quiet"): "nothing changes",
    ("world", "quiet"): "nothing but the world's own weekly and monthly season",
}


class Case(NamedTuple):
    """A stretch of `days` days of `rows` decisions that one way is asked about."""

    source: str
    seed: int
    kind: str
    way: str
    rows: int
    days: int

    @property
    def calm(self) -> bool:
        """Whether every verdict is a false one."""
        return (self.source, self.kind) in CALM


@dataclass(frozen=True)
class Found:
    """What came of a case, under one of the way's names.

    value: of a change its delay in days (0: not seen), of calm days how many had a verdict.
    seconds: processor time of a day, the median.
    """

    case: Case
    name: str
    value: int
    seconds: float


def print_tables(found: Sequence[Found], kinds: Mapping[str, Mapping[str, str]]) -> None:
    """One table per source, in Markdown: delays and false verdicts by kind and way."""
    shown = [each for each in found if each.name != OUTCOMES]
    console = Console(width=220)
    for source, changes in kinds.items():
        of_source = [each for each in shown if each.case.source == source]
        names = list(dict.fromkeys(each.name for each in of_source))
        table = Table(box=box.MARKDOWN)
        for name in (source, *names, "limit of ours"):
            table.add_column(name)
        told = dict(changes) | {kind: text for (of, kind), text in CALM.items() if of == source}
        for kind, text in told.items():
            of_kind = [each for each in of_source if each.case.kind == kind]
            cells = [_cell([each for each in of_kind if each.name == name]) for name in names]
            table.add_row(f"{kind}: {text}", *cells, _limit(source, kind))
        table.add_row("processor time of a day", *_costs(of_source, names), "")
        console.print(table)
    console.print(
        "Changes: days until seen, the median of the seeds (in brackets the longest, where it "
        "differs). Calm days: how many had a verdict."
    )


def problems(found: Sequence[Found]) -> list[str]:
    """Which limits some of our results missed."""
    told = []
    for source, kind in CALM:
        calm = [each for each in found if each.name == OURS]
        calm = [each for each in calm if (each.case.source, each.case.kind) == (source, kind)]
        false, days = sum(each.value for each in calm), sum(each.case.days for each in calm)
        if false > (0 if kind == SEASONAL else FEW * days):
            told.append(f"{source} {kind}: {false} false verdicts in {days} days")
    for each in found:
        at = f"{each.case.source} {each.case.kind}, seed {each.case.seed}"
        if each.name == OURS and not each.case.calm and not each.value:
            told.append(f"{at}: missed")
        if each.name == OUTCOMES and each.case.kind == CONCEPT and not 0 < each.value <= WITHIN:
            seen = f"seen in window {each.value}" if each.value else "not seen"
            told.append(f"{at}: {seen} from outcomes, limit {WITHIN}")
    return told


def _cell(found: Sequence[Found]) -> str:
    if not found:
        return ""
    if found[0].case.calm:
        return f"{sum(e.value for e in found)} of {sum(e.case.days for e in found)}"
    seen = [each.value for each in found if each.value]
    if not seen:
        return "never"
    middle, most = statistics.median(seen), max(seen)
    missed = len(found) - len(seen)
    return (
        f"{middle:g}"
        + (f" ({most})" if most != middle else "")
        + (f", {missed} of {len(found)} never" if missed else "")
    )


def _limit(source: str, kind: str) -> str:
    if kind == CONCEPT:
        return f"{WITHIN} windows"
    if (source, kind) in CALM:
        return "none" if kind == SEASONAL else f"{FEW:.0%}"
    return "seen"


def _costs(found: Sequence[Found], names: Sequence[str]) -> list[str]:
    """Milliseconds of a day, and how many times ours."""
    took = {
        name: statistics.median([each.seconds for each in found if each.name == name])
        for name in names
    }
    ours = took.get(OURS)
    return [
        f"{1000 * each:.3g} ms" + (f" (ratio {each / ours:.2g})" if ours else "")
        for each in took.values()
    ]
