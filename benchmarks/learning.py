"""Which share of the oracle's gap a learner captures, against the logging policy and named peers.

In the simulated world of each seed every learner gets the same log and the same features, and
chooses (without exploration) for the same 20,000 other customers in the week after, whose true
values are known: captured = (V(learner) − V(none)) / (V(oracle) − V(none)). Each learns in a
process of its own; prints per size the mean and the least over seeds, seconds, and peak memory on
top of the log's. Exits 1 unless ours beats the logging policy on every seed and every peer in the
mean at each size, or when a learner failed. Run it with the group `bench`:

    uv run --group bench python benchmarks/learning.py            # 50,000 decisions, 2 seeds
    uv run --group bench python benchmarks/learning.py --all      # 50k, 200k and 1M, 5 seeds
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
from learning_peers import ECONML_MOST, LEARNERS, OUR_OWN
from learning_world import Case, make_case

SEEDS = (101, 102, 103, 104, 105)  # of development; judge on others with --first-seed
PEERS = tuple(name for name in LEARNERS if name not in ("ours", *OUR_OWN))


@dataclass(frozen=True)
class Result:
    """What one learner did on one seed: share of the gap (NaN: failed), seconds, megabytes."""

    captured: float
    seconds: float
    megabytes: float


def main() -> int:
    """Measure and print; returns the exit code."""
    told = _arguments()
    passed = True
    for size in told.sizes:
        found: dict[str, list[Result]] = {}
        for seed in range(told.first_seed, told.first_seed + told.seeds):
            case = make_case(seed, size)
            found.setdefault("logging", []).append(Result(case.before, np.nan, np.nan))
            for name in ("ours", *told.peers):
                found.setdefault(name, []).append(_measure(name, case))
                print(f"  {size} {seed} {name} {found[name][-1].captured:.3f}", file=sys.stderr)
        passed &= _report(size, found)
    return 0 if passed else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=_numbers, default=(50_000,), help="logged decisions, a,b,…")
    parser.add_argument("--seeds", type=int, default=2, help="how many worlds")
    parser.add_argument("--first-seed", type=int, default=SEEDS[0])
    parser.add_argument("--peers", type=_peers, default=PEERS, help=", ".join((*PEERS, *OUR_OWN)))
    parser.add_argument("--all", action="store_true", help="50k, 200k and 1M, 5 seeds: hours")
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
    before, started = _peak(), time.perf_counter()
    scores = LEARNERS[name](case)
    seconds = time.perf_counter() - started
    answer.send(Result(case.captured(scores), seconds, _peak() - before))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _report(size: int, found: dict[str, list[Result]]) -> bool:
    seeds = len(found["ours"])
    print(f"\n{size:,} logged decisions, {seeds} seeds: share of the oracle's gap captured")
    print(f"  {'':<12}{'mean':>8}{'least':>8}{'seconds':>10}{'peak MB':>10}")
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
