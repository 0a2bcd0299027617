"""Each measure of two versions over the same rows, with the test that suits it (`measures`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from nextbest.errors import DataError
from nextbest.evaluation import metrics
from nextbest.evaluation.comparison import bootstrap, paired, proportions, roc
from nextbest.evaluation.comparison.measures import Compared
from nextbest.evaluation.comparison.paired import Interval, Test
from nextbest.evaluation.comparison.scoring import FIRST, SECOND, doubly_robust
from nextbest.evaluation.ope.estimators import lift, value_of
from nextbest.evaluation.ope.log import LoggedBatch
from nextbest.evaluation.ope.moments import fold

TOP = 0.1  # of all decisions, for `capture`
LEAST_DAYS = 6  # with fewer no signed-rank test can say anything at .95
NEAR_ONE = "distance from 1"


def compare_value(
    log: LoggedBatch, days: np.ndarray | None = None, confidence: float = 0.95, seed: int = 0
) -> Compared:
    """Value per decision of targets `first` and `second` of a log, doubly robust.

    The interval is that of `ope.estimators.lift`, which widens the side of the long tail; the test
    is Student's on the rows' differences. With days (n,) there are checks: sign flips, Wilcoxon's
    test over days (over decisions it would ask for the middle of differences that lie lopsided,
    and not for their mean), and the BCa interval.
    """
    if len(log) < 2:
        raise DataError(f"value: {len(log)} decisions; a comparison needs at least 2")
    moments = fold(log, ())
    over = lift(moments, SECOND, FIRST, confidence=confidence)
    d = doubly_robust(log, SECOND) - doubly_robust(log, FIRST)
    checks: tuple[Test, ...] = ()
    also = None
    if days is not None:
        checks = (paired.sign_flip(d, seed), *_over_days(d, days))
        also = bootstrap.bca_interval(d, confidence, seed=seed)
    return Compared(
        "value", "", len(d),
        value_of(moments, FIRST, "dr", confidence=confidence).value,
        value_of(moments, SECOND, "dr", confidence=confidence).value,
        Interval(over.value, over.low, over.high),
        paired.paired_t(d), ("Cohen's d_z", paired.cohens_dz(d)), checks, also,
        float(d.std(ddof=1)),
    )  # fmt: skip


def compare_head(
    metric: str,
    head: str,
    outcomes: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    days: np.ndarray | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Compared:
    """A measure of two versions' probabilities (n,) of one outcome, 0 or 1.

    Raises DataError where it can't be computed for either.
    """
    y, p, q = (np.asarray(each, dtype=float) for each in (outcomes, first, second))
    return _HEADS[metric](metric, head, y, p, q, days, confidence, seed)


def _mean(
    metric: str, head: str, y: np.ndarray, p: np.ndarray, q: np.ndarray,
    days: np.ndarray | None, confidence: float, seed: int,
) -> Compared:  # fmt: skip
    values = [metrics.METRICS[metric](y, each) for each in (p, q)]
    losses = [(each - y) ** 2 if metric == "brier" else -np.log(np.where(y == 1, each, 1 - each))
              for each in (p, q)]  # fmt: skip
    d = losses[1] - losses[0]
    checks = () if days is None else (paired.wilcoxon(d), *_over_days(d, days))
    return Compared(
        metric, head, len(d), *values, paired.analytic_interval(d, confidence),
        paired.paired_t(d), ("rank-biserial", paired.rank_biserial(d)), checks,
        spread=float(d.std(ddof=1)),
    )  # fmt: skip


def _auc(
    metric: str, head: str, y: np.ndarray, p: np.ndarray, q: np.ndarray,
    days: np.ndarray | None, confidence: float, seed: int,
) -> Compared:  # fmt: skip
    found = roc.delong(y, p, q, confidence)
    return Compared(metric, head, len(y), found.first, found.second, found.difference,
                    found.test, ("difference of areas", found.difference.value))  # fmt: skip


def _capture(
    metric: str, head: str, y: np.ndarray, p: np.ndarray, q: np.ndarray,
    days: np.ndarray | None, confidence: float, seed: int,
) -> Compared:  # fmt: skip
    if (responders := int((y == 1).sum())) < 2:
        raise DataError(f"capture: {responders} successes; it takes two to compare")
    top = [_top(each)[y == 1] for each in (p, q)]
    pairs = proportions.discordant(*top)
    d = top[1].astype(float) - top[0]
    return Compared(metric, head, responders, float(top[0].mean()), float(top[1].mean()),
                    paired.analytic_interval(d, confidence), proportions.mcnemar(pairs),
                    ("odds ratio", proportions.odds_ratio(pairs)),
                    spread=float(d.std(ddof=1)))  # fmt: skip


def _calibration(
    metric: str, head: str, y: np.ndarray, p: np.ndarray, q: np.ndarray,
    days: np.ndarray | None, confidence: float, seed: int,
) -> Compared:  # fmt: skip
    values = [metrics.METRICS[metric](y, each) for each in (p, q)]
    columns, miss = _MISSES[metric](y, p, q)
    here = miss(columns.mean(axis=0)[None])[0]
    resampled = miss(bootstrap.resampled_means(columns, seed))
    return Compared(metric, head, len(y), *values,
                    bootstrap.percentile_interval(here, resampled, confidence),
                    bootstrap.bootstrap_test(here, resampled, len(y)),
                    (_MISS_NAMES.get(metric, NEAR_ONE), here))  # fmt: skip


Misses = tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]


def _error(y: np.ndarray, p: np.ndarray, q: np.ndarray) -> Misses:
    """Gaps of the bins of either; the bins stay as they are on the whole."""
    bins = [metrics.equal_bins(each, np.ones(len(y))) for each in (p, q)]
    gaps = [(np.arange(of.max() + 1) == of[:, None]) * (y - each)[:, None]
            for of, each in zip(bins, (p, q), strict=True)]  # fmt: skip
    cut = gaps[0].shape[1]
    return np.hstack(gaps), lambda m: np.abs(m[:, cut:]).sum(1) - np.abs(m[:, :cut]).sum(1)


def _ratio(y: np.ndarray, p: np.ndarray, q: np.ndarray) -> Misses:
    return np.column_stack([y, p, q]), lambda m: (
        np.abs(m[:, 0] / m[:, 2] - 1) - np.abs(m[:, 0] / m[:, 1] - 1)
    )


def _slope(y: np.ndarray, p: np.ndarray, q: np.ndarray) -> Misses:
    """Slopes moved by the rows' influences: a refit of each resample to first order."""
    lines = [metrics.calibration_line(y, each) for each in (p, q)]
    columns = np.column_stack([beta[1] + influence[:, 1] for beta, influence in lines])
    return columns, lambda m: np.abs(m[:, 1] - 1) - np.abs(m[:, 0] - 1)


def _top(scores: np.ndarray) -> np.ndarray:
    """The tenth scored highest, bool (n,); of equal ones those that come first."""
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[np.argsort(-scores, kind="stable")[: max(1, round(TOP * len(scores)))]] = True
    return chosen


def _over_days(d: np.ndarray, days: np.ndarray) -> tuple[Test, ...]:
    """Wilcoxon's test of the days' means: decisions of a day may stand and fall together."""
    places, codes = np.unique(days, return_inverse=True)
    if len(places) < LEAST_DAYS:
        return ()
    means = np.bincount(codes, weights=d) / np.bincount(codes)
    return (dataclasses.replace(paired.wilcoxon(means), name="Wilcoxon over days"),)


_MISS_NAMES = {"calibration_error": "difference"}
_MISSES = {"calibration_error": _error, "calibration_ratio": _ratio, "calibration_slope": _slope}
_HEADS: dict[str, Callable[..., Compared]] = {
    "auc": _auc, "log_loss": _mean, "brier": _mean, "capture": _capture,
    **dict.fromkeys(_MISSES, _calibration),
}  # fmt: skip
