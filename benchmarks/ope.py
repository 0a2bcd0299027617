"""Off-policy evaluation of 1M decisions × 10 actions against one pass of numpy over the inputs.

Ours: from the distributions π and q̂ [n, 10], the logged action, reward and propensity, to seven
estimators (ips, snips, dm, dr, sndr, switch_dr, dros), each with its interval and paired lift, the
effective sample and the other diagnostics. Peer: the least that any
evaluation does with these inputs in numpy, the expectation of q̂ under π (einsum) and one sum of
every input array. Both in alternation; prints medians, limit, ratio and peak memory; exits 1
above the limit. Times are of this process's processor, so that a busy machine blames nobody
(wall times stand beside them).
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from nextbest.evaluation.ope.log import from_matrices
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.ope.terms import SHRINKAGES
from nextbest.evaluation.ope.value import PolicyValue, evaluate

LIMIT = 4.0
ROWS, ACTIONS, REPETITIONS = 1_000_000, 10, 9
WANTED = {"ips", "snips", "dm", "dr", "sndr", "switch_dr", "dros"}
SHRUNK = tuple(shrinkage for shrinkage in SHRINKAGES if shrinkage.name in WANTED)


def main() -> int:
    """Measure and print; returns the exit code."""
    rng = np.random.default_rng(1)
    target = rng.dirichlet(np.ones(ACTIONS), ROWS)
    q = rng.uniform(0, 0.4, (ROWS, ACTIONS))
    action = rng.integers(0, ACTIONS, ROWS)
    propensity = np.full(ROWS, 1 / ACTIONS)
    reward = (rng.random(ROWS) < q[np.arange(ROWS), action]).astype(float)
    inputs = (target, q, action, propensity, reward)
    before = _peak()

    def ours() -> PolicyValue:
        log = from_matrices(reward, propensity, action, {"target": target}, q)
        return evaluate(fold(log, SHRUNK), "target")

    def peer() -> float:
        return np.einsum("ij,ij->i", target, q).sum() + sum(each.sum() for each in inputs)

    value = ours()
    if set(value.estimates) - {"on_policy"} != WANTED or not value.diagnostics.ess:
        sys.exit(f"not all seven estimators: {', '.join(value.estimates)}")
    added = _peak() - before
    measured = [(_seconds(ours), _seconds(peer)) for _ in range(REPETITIONS)]
    (ours_took, ours_wall), (peer_took, peer_wall) = (
        [1000 * statistics.median(each[side][clock] for each in measured) for clock in (0, 1)]
        for side in (0, 1)
    )
    ratio = ours_took / peer_took
    print(f"ours   7 estimators, intervals, ESS  {ours_took:6.1f} ms ({ours_wall:.0f} wall)")
    print(f"peer   one pass over the inputs      {peer_took:6.1f} ms ({peer_wall:.0f} wall)")
    print(f"memory peak {_peak():.0f} MiB, of which evaluation added {added:.0f}")
    print(f"ratio  {ratio:.2f}, limit {LIMIT:g} ({ours_wall / peer_wall:.2f} by wall time)")
    return 0 if ratio <= LIMIT else 1


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
