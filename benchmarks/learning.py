"""Which share of the oracle's gap a learner captures, against the logging policy and named peers.

In the simulated world of each seed every learner gets the same log and the same features, and
chooses (without exploration) for the same 20,000 other customers in the week after, whose true
values are known: captured = (V(learner) − V(none)) / (V(oracle) − V(none)). Each learns in a
process of its own; prints per size the mean and the least over seeds, seconds of processor time,
and peak memory on top of the log's. Exits 1 unless ours beats the logging policy on every seed and
every peer in the mean at each size, or when a learner failed.

    make bench-learning                                           # 50,000 decisions, 2 seeds
    make bench-learning ARGS="--all --keep results.jsonl"         # 50k, 200k and 1M, 5 seeds

With --keep each result is kept as it comes, and a run that was killed goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from learning_peers import ECONML_MOST, LEARNERS, OUR_OWN
from learning_world import Case, make_case

SEEDS = (101, 102, 103, 104, 105)  # of development; judge on others with --first-seed
PEERS = tuple(name for name in LEARNERS if name not in ("ours", *OUR_OWN))


@dataclass(frozen=True)
class Result:
    """What one learner did on one seed: share of the gap (NaN: failed), CPU seconds, megabytes."""

    captured: float
    seconds: float
    megabytes: float


def main() -> int:
    """Measure and print; returns the exit code."""
    told = _arguments()
    passed = True
    kept = _kept(told.keep)
    for size in told.sizes:
        seeds = range(told.first_seed, told.first_seed + told.seeds)
        names = ("logging", "ours", *told.peers)
        for seed in seeds:
            missing = [name for name in names if (size, seed, name) not in kept]
            case = make_case(seed, size) if missing else None
            for name in missing:
                result = _measure(name, case)
                kept[size, seed, name] = result
                print(f"  {size} {seed} {name} {result.captured:.3f}", file=sys.stderr)
                if told.keep:
                    line = {"size": size, "seed": seed, "learner": name, **asdict(result)}
                    with told.keep.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
        passed &= _report(
            size, {name: [kept[size, seed, name] for seed in seeds] for name in names}
        )
    return 0 if passed else 1


def _kept(file: Path | None) -> dict[tuple[int, int, str], Result]:
    lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
    return {
        (told.pop("size"), told.pop("seed"), told.pop("learner")): Result(**told)
        for told in map(json.loads, lines)
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=_numbers, default=(50_000,), help="logged decisions, a,b,…")
    parser.add_argument("--seeds", type=int, default=2, help="how many worlds")
    parser.add_argument("--first-seed", type=int, default=SEEDS[0])
    parser.add_argument("--peers", type=_peers, default=PEERS, help=", ".join((*PEERS, *OUR_OWN)))
    parser.add_argument("--all", action="store_true", help="50k, 200k and 1M, 5 seeds: hours")
    parser.add_argument("--keep", type=Path, help="a file of results, to go on with")
    told = parser.parse_args()
    if told.all:
        told.sizes, told.seeds = (50_000, 200_000, 1_000_000), len(SEEDS)
    return told


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part.replace("_", "")) for part in text.split(","))


def _peers(text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    unknown = [name for name in names if name not in (*PEERS, *OUR_OWN)]
    if unknown:
        raise argparse.ArgumentTypeError(f"no learner {', '.join(unknown)}")
    return names


def _measure(name: str, case: Case) -> Result:
    """Let one learner learn in a process of its own, forked: the log is there already."""
    if name == "logging":
        return Result(case.before, np.nan, np.nan)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_learn, args=(name, case, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:  # it failed (its traceback is above) or was killed for want of memory
        return Result(np.nan, np.nan, np.nan)
    finally:
        process.join()


def _learn(name: str, case: Case, answer: Connection) -> None:
    warnings.simplefilter("ignore")
    before = _peak()
    scores = LEARNERS[name](case)
    seconds = time.process_time()  # of this fork alone
    answer.send(Result(case.captured(scores), seconds, _peak() - before))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _report(size: int, found: dict[str, list[Result]]) -> bool:
    seeds = len(found["ours"])
    print(f"\n{size:,} logged decisions, {seeds} seeds: share of the oracle's gap captured")
    print(f"  {'':<12}{'mean':>8}{'least':>8}{'CPU s':>10}{'peak MB':>10}")
    shares = {name: [each.captured for each in results] for name, results in found.items()}
    for name, results in found.items():
        seconds, memory = (
            [getattr(each, field) for each in results] for field in ("seconds", "megabytes")
        )
        note = (
            " on the last " + f"{ECONML_MOST:,}" if name == "econml" and size > ECONML_MOST else ""
        )
        print(
            f"  {name:<12}{np.mean(shares[name]):>8.3f}{min(shares[name]):>8.3f}"
            f"{np.mean(seconds):>10.1f}{max(memory):>10.0f}{note}"
        )
    problems = _problems(shares)
    print("  " + ("; ".join(problems) or "ours beats logging on every seed and every peer on mean"))
    return not problems


def _problems(shares: dict[str, Sequence[float]]) -> list[str]:
    problems = [f"{name} failed" for name, each in shares.items() if not np.isfinite(each).all()]
    lost = sum(not a > b for a, b in zip(shares["ours"], shares["logging"], strict=True))
    if lost:
        problems.append(f"ours does not beat the logging policy on {lost} seeds")
    ours = np.mean(shares["ours"])
    problems += [
        f"ours does not beat {name} in the mean"
        for name, each in shares.items()
        if name not in ("ours", *OUR_OWN) and ours <= np.mean(each)
    ]
    return problems


if __name__ == "__main__":
    sys.exit(main())
