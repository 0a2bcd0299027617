"""How soon a change is noticed, and how often one that never was: ours against Evidently and river.

Two sources of days: made-up ones, and the simulated world's own decisions with our model's scores.
Of each seed 30 days are the baseline; then come QUIET_DAYS on which nothing changes, and for each
kind of change BEFORE days without and HORIZON days with it. A delay is the number of days until the
first verdict, the day of the change being 1, days being judged when their outcomes have matured.
Exits 1 when, on the seeds of development or on those kept aside, ours speaks on more than 1 of 100
quiet days, takes a season for drift, finds a concept drift from outcomes later than in the third
window, or misses a change.

    make bench-detection                                # 2 + 2 seeds, Evidently on 1 + 1
    make bench-detection ARGS="--ways ours --seeds 10 --keep detection.jsonl"

With --keep each result is kept as it comes, and a run that was killed goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import detection_streams
import detection_world
import numpy as np
from detection_streams import Made, Stream, Synthetic
from detection_table import Case, Found, print_tables, problems
from detection_ways import WAYS
from detection_world import Simulated
from rich.progress import Progress

DEVELOPED = range(201, 301)  # seeds on which the verdicts were made
ASIDE = range(901, 1001)  # never looked at while they were
QUIET_DAYS, HORIZON = 100, 14
BEFORE = 7  # days without the change that a way has seen when it comes: as far as ours looks back
SOURCES: Mapping[str, tuple[Made, Mapping[str, str], tuple[str, ...]]] = {
    "synthetic": (Synthetic, detection_streams.KINDS, ("season", "quiet")),
    "world": (Simulated, detection_world.KINDS, ("quiet",)),
}


def main() -> int:
    """Measure and print; returns the exit code."""
    told = _arguments()
    wanted = list(_cases(told))
    found = [each for each in _kept(told.keep) if each.case in wanted]
    done = {each.case for each in found}
    with Progress(transient=True) as progress:
        bar = progress.add_task("", total=len(wanted))
        for case in wanted:
            progress.update(bar, description=f"{case.source} {case.seed} {case.kind} {case.way}")
            if case not in done:
                new = _measure(case)
                found += new
                if told.keep:
                    with told.keep.open("a", encoding="utf-8") as file:
                        file.writelines(json.dumps(asdict(each)) + "\n" for each in new)
            progress.advance(bar)
    print_tables(found, {source: kinds for source, (_, kinds, _) in SOURCES.items()})
    ours = [each for each in found if each.case.way == "ours"]
    failed = False
    for name, seeds in (("seeds of development", DEVELOPED), ("seeds kept aside", ASIDE)):
        missed = problems([each for each in ours if each.case.seed in seeds])
        failed |= bool(missed)
        if ours:
            print(f"ours, {name}: {'; '.join(missed) or 'within its limits'}")
    return 1 if failed else 0


def _cases(told: argparse.Namespace) -> Iterator[Case]:
    for nth in range(told.seeds):
        for seed in (DEVELOPED[nth], ASIDE[nth]):
            for source, (_, changes, calm) in SOURCES.items():
                for kind in (*changes, *calm):
                    days = told.quiet if kind in calm else BEFORE + HORIZON
                    for way in told.ways:
                        if way != "evidently" or nth < told.evidently_seeds:
                            yield Case(source, seed, kind, way, told.rows, days)


def _measure(case: Case) -> list[Found]:
    made = SOURCES[case.source][0]
    # The change comes on another day of the week with each seed; a season was there always.
    turn = 7 + case.seed % 7
    stream = made(case.seed, case.rows, None if case.kind == "quiet" else case.kind, turn)
    first = 0 if case.calm else turn - BEFORE
    answers, seconds = _answers(case.way, stream, range(first, first + case.days))
    found = []
    for name, spoke in answers.items():
        after = spoke[BEFORE:]
        delay = after.index(True) + 1 if True in after else 0
        found.append(Found(case, name, sum(spoke) if case.calm else delay, seconds))
    return found


def _answers(way: str, stream: Stream, days: range) -> tuple[dict[str, list[bool]], float]:
    """Each name's answers, day by day, and the median seconds that a day took."""
    asked = WAYS[way](stream.baseline())
    answers: dict[str, list[bool]] = {}
    seconds = []
    for number in days:
        day = stream.day(number)
        begin = time.process_time()
        for name, spoke in asked.ask(day).items():
            answers.setdefault(name, []).append(bool(spoke))
        seconds.append(time.process_time() - begin)
    return answers, float(np.median(seconds))


def _kept(file: Path | None) -> list[Found]:
    lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
    told = [json.loads(line) for line in lines]
    return [Found(**{**each, "case": Case(*each["case"])}) for each in told]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2000, help="decisions a day")
    parser.add_argument("--quiet", type=int, default=QUIET_DAYS, help="quiet days of each seed")
    told = {"type": int, "choices": range(1, 101), "metavar": "N"}
    parser.add_argument("--seeds", default=2, help="of development, and as many aside", **told)
    parser.add_argument("--evidently-seeds", default=1, help="a day takes it long", **told)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--keep", type=Path, help="a file of results, to go on with")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
