"""Allocation under limits: a million customers × 29 treatments against HiGHS.

Every treatment and two channels have a capacity, and there is a budget. Ours is `allocate` on all
customers: seconds and the gap to the bound, which is valid for every allocation (a dual value).
The peer is HiGHS on the whole linear program of PEER customers of the same kind, in the same run;
a rate in customers per second is what can be compared, and it flatters the peer, whose time grows
faster than its size. The gap is given twice: of what limits decide about (what is gained over
treatments without a limit), and of the whole bound; the limit holds for the stricter first one.
Prints the peak memory of the process; exits 1 when a limit is missed or any capacity exceeded.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from nextbest.data import world
from nextbest.decisions.allocation import allocate
from nextbest.decisions.exact import linear_program
from nextbest.decisions.gains import gains
from nextbest.decisions.limits import Limits, limits_from
from nextbest.decisions.treatments import Treatments

CUSTOMERS = 1_000_000
PEER = 2_000
SECONDS = 60.0
GAP = 0.01


def main() -> int:
    """Measure and print; returns the exit code."""
    score, eligible, limits = problem(PEER, seed=1)
    reduced = gains(score, eligible, limits)
    rows, groups = np.nonzero(np.isfinite(reduced.gain))
    begin = time.perf_counter()
    program = linear_program(reduced, limits.capacity, rows, groups)
    peer = time.perf_counter() - begin
    small = allocate(score, eligible, limits, exact_pairs=2_000)
    exact = float(reduced.base.sum()) - program.fun
    share = (exact - small.value) / -program.fun

    score, eligible, limits = problem(CUSTOMERS, seed=2)
    before = peak()
    begin = time.perf_counter()
    found = allocate(score, eligible, limits)
    ours = time.perf_counter() - begin
    kept = bool((found.used <= limits.capacity * (1 + 1e-12)).all())
    whole = (found.bound - found.value) / abs(found.bound)
    rate, peer_rate = CUSTOMERS / ours, PEER / peer
    print(f"ours   {CUSTOMERS:,} × 29: {ours:.1f} s, {rate:,.0f} customers/s, {found.method}")
    print(f"       gap {found.gap:.3%} of what limits decide about, {whole:.3%} of the bound")
    print(f"       limits kept: {kept}; {int((found.used >= limits.capacity * 0.99).sum())} bind")
    print(f"peer   HiGHS, {PEER:,} × 29 ({len(rows):,} pairs): {peer:.1f} s, {peer_rate:,.0f}/s")
    print(f"       there, by prices, ours is {share:.3%} below its optimum")
    print(f"limit  gap {GAP:.0%}, {SECONDS:g} s")
    print(f"ratio  {rate / peer_rate:,.0f} × the peer's customers per second")
    print(
        f"memory peak {peak():,.0f} MiB, of it {before:,.0f} MiB before (scores and their making)"
    )
    return 0 if ours < SECONDS and found.gap <= GAP and kept else 1


def problem(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, Limits]:
    """Scores (money) and eligible [n, 29] of skewed customers, and limits that bind."""
    rng = np.random.default_rng(seed)
    actions = world.actions().assign(lever=1.0)
    call, none = actions["channel"] == "call", actions["channel"] == "none"
    actions["daily_capacity"] = np.where(none, np.nan, np.where(call, n // 400, n // 40))
    limits = limits_from(actions, {"email": n // 10, "call": n // 80}, budget=0.03 * n)
    treatments = Treatments.from_frame(actions)
    eligible = rng.random((n, len(treatments))) < 0.7
    eligible[:, treatments.is_none] = True
    score = rng.normal(size=eligible.shape)
    score *= 0.5
    score += rng.normal(size=(n, 1))
    np.exp(score, out=score)
    score -= treatments.cost
    return score, eligible, limits


def peak() -> float:
    """Peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
