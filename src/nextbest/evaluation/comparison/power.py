"""How much a comparison could have seen, and how long an experiment would have to be."""

from __future__ import annotations

import math

from scipy import optimize, stats

from nextbest.errors import DataError

POWER = 0.8  # Cohen 1988: a miss is four times as bearable as a false alarm
_LARGEST = 1e15
_FARTHEST = 1e6  # beyond it scipy's series gives up, and power is 1


def paired_power(effect: float, sd: float, n: int, confidence: float = 0.95) -> float:
    """Chance that the paired t test calls a true mean difference of `effect` different.

    sd: of the differences; n: decisions. By the noncentral t distribution, two-sided, as
    statsmodels' TTestPower. Raises DataError for fewer than 2 decisions.
    """
    if n < 2:
        raise DataError(f"power of a comparison of {n} decisions: it needs at least 2")
    if sd == 0:
        return 1.0 if effect else 1 - confidence
    return _power(effect / sd * math.sqrt(n), n - 1, confidence)


def detectable(sd: float, n: int, confidence: float = 0.95, power: float = POWER) -> float:
    """The least true mean difference that is seen with this power."""
    if sd == 0:
        return 0.0
    top = 1.0
    while paired_power(top * sd, sd, n, confidence) < power:
        top *= 2
    return sd * optimize.brentq(
        lambda effect: paired_power(effect * sd, sd, n, confidence) - power, 0.0, top, xtol=1e-12
    )


def decisions_needed(
    effect: float, sd: float, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Decisions of a paired comparison that sees `effect` with this power; None: no number does."""
    return _solve(lambda n: _power(effect / sd * math.sqrt(n), n - 1, confidence), effect, power)


def arm_for_mean(
    effect: float, sd: float, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Decisions in each arm of an A/B test of a mean: two independent samples, Student's t.

    sd: of one decision's reward; as statsmodels' TTestIndPower. None where there is no effect.
    """
    return _solve(
        lambda n: _power(effect / sd * math.sqrt(n / 2), 2 * n - 2, confidence), effect, power
    )


def arm_for_proportion(
    first: float, second: float, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Decisions in each arm of an A/B test of two proportions, by Cohen's h (1988, chapter 6).

    As statsmodels' NormalIndPower of proportion_effectsize. None where they are the same.
    """
    h = 2 * math.asin(math.sqrt(second)) - 2 * math.asin(math.sqrt(first))
    z = float(stats.norm.ppf((1 + confidence) / 2))

    def power_of(n: float) -> float:
        shift = abs(h) * math.sqrt(n / 2)
        return float(stats.norm.sf(z - shift) + stats.norm.cdf(-z - shift))

    return _solve(power_of, h, power)


def _power(noncentral: float, freedom: float, confidence: float) -> float:
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom))
    shift = min(abs(noncentral), _FARTHEST)
    # Where the far tail is below what a float can add to the near one, scipy's series gives NaN.
    far = float(stats.nct.cdf(-reach, freedom, shift))
    return min(1.0, float(stats.nct.sf(reach, freedom, shift)) + (0.0 if math.isnan(far) else far))


def _solve(power_of, effect: float, power: float) -> int | None:
    if effect == 0 or not math.isfinite(effect):
        return None
    low, high = 2.0, 4.0
    if power_of(low) >= power:
        return 2
    while power_of(high) < power:
        low, high = high, high * 4
        if high > _LARGEST:
            return None
    return math.ceil(optimize.brentq(lambda n: power_of(n) - power, low, high, xtol=1e-6))
