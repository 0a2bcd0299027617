"""Everything a log says of one target policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nextbest.evaluation.ope.choice import Choice, choose_all
from nextbest.evaluation.ope.diagnostics import Diagnostics, diagnose
from nextbest.evaluation.ope.estimators import Estimate, available, lift, value_of
from nextbest.evaluation.ope.log import LOGGING
from nextbest.evaluation.ope.moments import Moments


@dataclass(frozen=True)
class PolicyValue:
    """A target policy's values, its lifts over the logging policy, and how far to trust them.

    estimates, lifts: by name of the estimator, rewards per decision; logging: the mean reward of
    the policy that wrote the log; chosen: by kind of shrinkage, which of several λ SLOPE took.
    """

    policy: str
    estimates: Mapping[str, Estimate]
    lifts: Mapping[str, Estimate]
    logging: Estimate
    diagnostics: Diagnostics
    chosen: Mapping[str, Choice]


def evaluate(moments: Moments, policy: str, *, confidence: float = 0.95) -> PolicyValue:
    """Every estimator that the log's columns allow, for one target policy.

    Raises DataError when the log is empty, the policy unknown, or no logged treatment has any
    chance under the policy (then nothing can be said of it).
    """
    names = available(moments)
    return PolicyValue(
        policy=policy,
        estimates={name: value_of(moments, policy, name, confidence=confidence) for name in names},
        lifts={
            name: lift(moments, policy, estimator=name, confidence=confidence) for name in names
        },
        logging=value_of(moments, LOGGING, "on_policy", confidence=confidence),
        diagnostics=diagnose(moments, policy),
        chosen=choose_all(moments, policy, confidence=confidence),
    )
