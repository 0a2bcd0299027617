"""How decisions of a window did, as values that can be added up: actions, guardrails, lift."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

THIN = 0.01  # a propensity below this is a chance that few decisions tell about


@dataclass(frozen=True)
class Arm:
    """Decisions of one side of the experiment: treated ones, or the control group's.

    `rewards` sums the value of matured decisions, `squares` their squared distances from the mean;
    immature ones are counted, and no failures.
    """

    decisions: int = 0
    contacts: int = 0
    opt_outs: int = 0
    matured: int = 0
    rewards: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        """Value per matured decision; NaN without any."""
        return self.rewards / self.matured if self.matured else math.nan


@dataclass(frozen=True)
class DecisionQuality:
    """Both arms, and what the treated one chose: rows per action and how likely each choice was.

    `weights` and `weights_squared` sum 1/propensity and its square; `thin` counts propensities
    below THIN.
    """

    treated: Arm = Arm()
    control: Arm = Arm()
    actions: Mapping[str, int] = field(default_factory=dict)
    weights: float = 0.0
    weights_squared: float = 0.0
    thin: int = 0


def arm_of(
    rewards: np.ndarray, matured: np.ndarray, contacted: np.ndarray, opted_out: np.ndarray
) -> Arm:
    """Of decisions, row by row: money, and three flags."""
    known = np.asarray(rewards, dtype=float)[np.asarray(matured, dtype=bool)]
    squares = float(((known - known.mean()) ** 2).sum()) if len(known) else 0.0
    flags = (int(np.sum(contacted)), int(np.sum(opted_out)))
    return Arm(len(rewards), *flags, len(known), float(known.sum()), squares)


def decisions_of(
    treated: Arm, control: Arm, actions: Sequence[str], propensities: np.ndarray
) -> DecisionQuality:
    """Of both arms, and the treated arm's actions with the probability that each was chosen.

    ValueError for propensities outside (0, 1].
    """
    p = np.asarray(propensities, dtype=float)
    if wrong := int((~((p > 0) & (p <= 1))).sum()):
        raise ValueError(f"{wrong} of {len(p)} propensities are outside (0, 1]")
    names, rows = np.unique(np.asarray(actions, dtype=object).astype(str), return_counts=True)
    counts = dict(zip(names.tolist(), rows.tolist(), strict=True))
    weight = 1 / p
    return DecisionQuality(
        treated,
        control,
        counts,
        float(weight.sum()),
        float((weight**2).sum()),
        int((p < THIN).sum()),
    )


def merged(parts: Sequence[DecisionQuality]) -> DecisionQuality:
    """Of all decisions of the parts together."""
    actions: dict[str, int] = {}
    for part in parts:
        for name, rows in part.actions.items():
            actions[name] = actions.get(name, 0) + rows
    return DecisionQuality(
        _merged_arms([part.treated for part in parts]),
        _merged_arms([part.control for part in parts]),
        actions,
        math.fsum(part.weights for part in parts),
        math.fsum(part.weights_squared for part in parts),
        sum(part.thin for part in parts),
    )


def mean_interval(arm: Arm, confidence: float = 0.95) -> tuple[float, float] | None:
    """Student's interval of the value per matured decision; None with fewer than two."""
    if arm.matured < 2:
        return None
    error = math.sqrt(arm.squares / (arm.matured - 1) / arm.matured)
    reach = float(stats.t.ppf((1 + confidence) / 2, arm.matured - 1)) * error
    return arm.mean - reach, arm.mean + reach


def lift(found: DecisionQuality, confidence: float = 0.95) -> tuple[float, float, float] | None:
    """Value per treated decision over that of the control group, and its interval.

    None with fewer than two matured decisions on a side. Source: Welch (1947).
    """
    sides = found.treated, found.control
    if any(side.matured < 2 for side in sides):
        return None
    difference = found.treated.mean - found.control.mean
    parts = [side.squares / (side.matured - 1) / side.matured for side in sides]
    error = math.sqrt(sum(parts))
    if not error:
        return difference, difference, difference
    freedom = sum(parts) ** 2 / sum(
        part**2 / (side.matured - 1) for part, side in zip(parts, sides, strict=True)
    )
    reach = float(stats.t.ppf((1 + confidence) / 2, freedom)) * error
    return difference, difference - reach, difference + reach


def measured(found: DecisionQuality, control_share: float) -> dict[str, float | None]:
    """Guardrails of the window; null where there is nothing to divide by.

    action_entropy in bits; effective_sample_share: (Σw)²/(n Σw²) of the weights of a uniform
    target; thin_share: propensities below THIN; sample_ratio_pvalue: two-sided binomial test that
    `control_share` of the decisions are the control group's; contact and opt-out rates of the
    treated arm, and the opt-out rate over the control group's.
    """
    chosen = sum(found.actions.values())
    shares = [rows / chosen for rows in found.actions.values() if rows]
    everyone = found.treated.decisions + found.control.decisions
    rates = [_rate(arm.opt_outs, arm.decisions) for arm in (found.treated, found.control)]
    return {
        "action_entropy": -math.fsum(p * math.log2(p) for p in shares) if shares else None,
        "largest_action_share": max(shares, default=None),
        "effective_sample_share": (
            found.weights**2 / (chosen * found.weights_squared) if chosen else None
        ),
        "thin_share": _rate(found.thin, chosen),
        "sample_ratio_pvalue": (
            float(stats.binomtest(found.control.decisions, everyone, control_share).pvalue)
            if everyone
            else None
        ),
        "contact_rate": _rate(found.treated.contacts, found.treated.decisions),
        "opt_out_rate": rates[0],
        "opt_out_over_control": (
            None if rates[0] is None or rates[1] is None else rates[0] - rates[1]
        ),
    }


def _merged_arms(arms: Sequence[Arm]) -> Arm:
    """Sums; squared distances move to the common mean. Source: Chan, Golub, LeVeque (1979)."""
    matured = sum(arm.matured for arm in arms)
    rewards = math.fsum(arm.rewards for arm in arms)
    squares = math.fsum(
        arm.squares + arm.matured * (arm.mean - rewards / matured) ** 2
        for arm in arms
        if arm.matured
    )
    counts = (
        sum(getattr(arm, name) for arm in arms) for name in ("decisions", "contacts", "opt_outs")
    )
    return Arm(*counts, matured, rewards, squares)


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
