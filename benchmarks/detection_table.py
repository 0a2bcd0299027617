"""What the detection benchmark found, as tables, and where it missed its limits."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detection_streams import SEASON
from detection_ways import OURS, OUTCOMES
from rich import box
from rich.console import Console
from rich.table import Table

FEW = 0.01  # days with a false verdict that are borne
WITHIN = 3  # windows until a concept drift is found
CALM = {
    ("synthetic", "season"): SEASON,
    ("synthetic", "quiet"): "nothing changes",
    ("world", "quiet"): "nothing but the world's own weekly and monthly season",
}


@dataclass(frozen=True)
class Found:
    """One stretch of days by one name of a way.

    value: of a change its delay in days (0: not seen), of calm days how many had a verdict.
    """

    source: str
    seed: int
    kind: str
    way: str
    name: str
    value: int
    days: int
    seconds: float

    @property
    def calm(self) -> bool:
        """Whether a verdict was false."""
        return (self.source, self.kind) in CALM


def print_tables(found: Sequence[Found], kinds: Mapping[str, Mapping[str, str]]) -> None:
    """One table per source, in Markdown: delays and false verdicts by kind and way."""
    shown = [each for each in found if each.name != OUTCOMES]
    names = list(dict.fromkeys(each.name for each in shown))
    console = Console(width=200)
    for source, words in kinds.items():
        table = Table(
            box=box.MARKDOWN, title=f"{source}: days until seen; calm days with a verdict"
        )
        for name in ("", *names, "limit of ours"):
            table.add_column(name)
        told = dict(words) | {kind: text for (of, kind), text in CALM.items() if of == source}
        for kind, text in told.items():
            cells = [
                _cell([e for e in shown if (e.source, e.kind, e.name) == (source, kind, name)])
                for name in names
            ]
            table.add_row(f"{kind}: {text}", *cells, _limit(source, kind))
        table.add_row("a day takes", *_costs(shown, source, names), "")
        console.print(table)
    console.print("Delays are medians over seeds (the longest beside them, where it differs).")


def problems(found: Sequence[Found]) -> list[str]:
    """Which limits some of our results missed."""
    told = []
    for (source, kind), _ in CALM.items():
        calm = [
            each for each in found if (each.source, each.kind, each.name) == (source, kind, OURS)
        ]
        false, days = sum(each.value for each in calm), sum(each.days for each in calm)
        if false > (0 if kind == "season" else FEW * days):
            told.append(f"{source} {kind}: {false} false verdicts in {days} days")
    for each in found:
        at = f"{each.source} {each.kind}, seed {each.seed}"
        if each.name == OURS and not each.calm and not each.value:
            told.append(f"{at}: missed")
        if each.name == OUTCOMES and each.kind == "concept" and not 0 < each.value <= WITHIN:
            seen = f"seen in window {each.value}" if each.value else "not seen"
            told.append(f"{at}: {seen} from outcomes, limit {WITHIN}")
    return told


def _cell(found: Sequence[Found]) -> str:
    if not found:
        return ""
    if found[0].calm:
        return f"{sum(e.value for e in found)} of {sum(e.days for e in found)}"
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
    if kind == "concept":
        return f"{WITHIN} windows"
    if (source, kind) in CALM:
        return "none" if kind == "season" else f"{FEW:.0%}"
    return "seen"


def _costs(found: Sequence[Found], source: str, names: Sequence[str]) -> list[str]:
    """Processor time of a day, and how many times ours."""
    took = {
        name: statistics.median(
            [each.seconds for each in found if (each.source, each.name) == (source, name)]
        )
        for name in names
    }
    ours = took.get(OURS)
    return [
        f"{1000 * each:.3g} ms" + (f" ({each / ours:.2g}×)" if ours and name != OURS else "")
        for name, each in took.items()
    ]
