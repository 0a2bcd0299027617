"""A candidate against the champion on the frozen holdout: everything measured, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nextbest.errors import DataError, NextBestError
from nextbest.evaluation.attempting import attempt, had
from nextbest.evaluation.gates import Gate, Measurement, Verdict, judge
from nextbest.evaluation.ope.estimators import Estimate, lift, value_of
from nextbest.evaluation.ope.log import LOGGING, LoggedBatch, Target
from nextbest.evaluation.ope.moments import Moments, fold
from nextbest.evaluation.recency import JUDGED_DAYS, newest_lift, world_moved
from nextbest.evaluation.release import calibrating, comparing, qualities, running
from nextbest.evaluation.release.comparing import Line
from nextbest.evaluation.release.contest import CANDIDATE, CHAMPION, Contender, Contest, digest
from nextbest.evaluation.release.declared import VALUE, ReleaseGates
from nextbest.evaluation.release.lifting import lift_gates, lift_measurements, newest_gate
from nextbest.evaluation.release.scoring import Scored, score


@dataclass(frozen=True, eq=False)
class Trial:
    """What came of a contest; what could not be computed is absent, its gate has the reason.

    `against` is the champion's version, None where the policy that wrote the log is the baseline.
    `moved`: why only the newest decisions count, or nothing. `over`: the paired lift. `lines`:
    guardrails, slices and fairness as the page draws them.
    """

    verdict: Verdict
    baseline: str
    against: str | None
    holdout: str
    decisions: int
    confidence: float
    moments: Moments | None
    values: Mapping[str, Estimate]
    over: Estimate | NextBestError
    moved: str
    lines: Mapping[str, tuple[Line, ...]]
    curves: Mapping[str, tuple[calibrating.Bin, ...]]
    unasked: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class _Counted:
    """The decisions that count as evidence (bool [n]), their moments, and the newest days' lift."""

    part: np.ndarray
    moments: Moments
    moved: str
    newest: Estimate | None


def hold_trial(contest: Contest, asked: ReleaseGates, against: str | None) -> Trial:
    """Measure everything that the use case's gates ask for, and judge.

    Whatever fails on the way, a model's own code included, is a gate not passed.
    """
    terms = contest.terms
    baseline = LOGGING if contest.champion is None else CHAMPION
    rows = pd.DataFrame() if isinstance(contest.rows, NextBestError) else contest.rows
    seen: dict[str, str] = {}
    scored = attempt(lambda: _scored(contest, asked, seen))
    usable = scored
    if isinstance(scored, NextBestError):
        usable = DataError("the decisions were not scored")
    counted = attempt(lambda: _counted(contest, rows, had(usable), baseline))
    part = np.ones(len(rows), bool) if isinstance(counted, NextBestError) else counted.part
    predicted = attempt(lambda: had(contest.candidate).decider.model.predict(had(contest.rows)))
    lines = {
        "guardrails": tuple(
            comparing.guardrail(each, usable, part, baseline, terms.confidence)
            for each in asked.guardrails
        ),
        "slices": comparing.slices(asked.slices, rows, usable, part, baseline, terms.confidence),
        "fairness": tuple(
            comparing.fairness(each, rows, usable, part, terms.confidence)
            for each in asked.fairness
        ),
    }
    gates, measured = _core(contest, asked, rows, scored, predicted, seen)
    moments = counted if isinstance(counted, NextBestError) else counted.moments
    gates += lift_gates(
        min_ess=terms.min_ess, min_lift=terms.min_lift, min_positives=asked.min_positives
    )
    measured |= lift_measurements(
        moments, CANDIDATE, baseline=baseline, confidence=terms.confidence
    )
    if not isinstance(counted, NextBestError) and counted.newest is not None:
        gates += (newest_gate(terms.min_lift),)
        measured["lift_newest"] = counted.newest.value
    gates += calibrating.calibration_gates(asked.calibration)
    heads = () if isinstance(contest.candidate, NextBestError) else _heads(contest.candidate)
    shown = predicted if isinstance(predicted, NextBestError) else predicted[part]
    measured |= calibrating.head_measurements(rows[part], heads, shown)
    gates += asked.absolute
    for line in (line for each in lines.values() for line in each):
        gates += (line.gate,)
        measured[line.gate.metric] = line.measured
    return Trial(
        verdict=judge(gates, measured),
        baseline=baseline,
        against=against,
        holdout=contest.frozen,
        decisions=len(rows),
        confidence=terms.confidence,
        moments=None if isinstance(moments, NextBestError) else moments,
        values={} if isinstance(counted, NextBestError)
        else _values(rows, counted, terms.confidence),
        over=attempt(lambda: lift(had(moments), CANDIDATE, baseline, confidence=terms.confidence)),
        moved="" if isinstance(counted, NextBestError) else counted.moved,
        lines=lines,
        curves={} if isinstance(shown, NextBestError)
        else calibrating.curves(rows[part], heads, shown),
        unasked=asked.unasked,
    )  # fmt: skip


def _scored(contest: Contest, asked: ReleaseGates, seen: dict[str, str]) -> Scored:
    """Score the rows by both versions, and note which rows each of them has left behind."""
    candidate, rows = had(contest.candidate), had(contest.rows)
    deciders = {CANDIDATE: candidate.decider}
    if isinstance(contest.champion, Contender):
        deciders[CHAMPION] = contest.champion.decider
    heads = [head.name for head in _heads(candidate)]
    wanted = [each.quantity for each in (*asked.guardrails, *asked.fairness)]
    scored = score(rows, deciders, [name for name in heads if name in wanted])
    after = digest(rows)
    seen |= dict.fromkeys(deciders, after)
    return scored


def _core(
    contest: Contest,
    asked: ReleaseGates,
    rows: pd.DataFrame,
    scored: Scored | NextBestError,
    predicted: pd.DataFrame | NextBestError,
    seen: Mapping[str, str],
) -> tuple[tuple[Gate, ...], dict[str, Measurement]]:
    """Can the versions be had and run, and are the rows fit to judge on?"""
    gates = [
        Gate("candidate can be loaded", "candidate_loaded", ">=", 1, "it is what is judged"),
        Gate("decisions are scored", "scored_decisions", ">=", 1, "nothing else can be measured"),
        Gate("probabilities", "invalid_probabilities", "<=", 0, "they lie within [0, 1]"),
    ]
    measured: dict[str, Measurement] = {
        "candidate_loaded": _loaded(contest.candidate),
        "scored_decisions": scored if isinstance(scored, NextBestError) else len(rows),
        "invalid_probabilities": attempt(lambda: _invalid(predicted, scored)),
    }
    if contest.champion is not None:
        gates.append(
            Gate("champion can be loaded", "champion_loaded", ">=", 1, "it is the baseline")
        )
        measured["champion_loaded"] = _loaded(contest.champion)
    gates += qualities.holdout_gates(asked.holdout)
    measured |= qualities.holdout_measurements(contest, rows, seen)
    if isinstance(contest.rows, NextBestError):
        measured["holdout_rows"] = contest.rows
    gates += running.running_gates(asked.running, champion=contest.champion is not None)
    if isinstance(contest.candidate, Contender):
        measured |= running.running_measurements(
            contest.candidate, contest.champion, rows, contest.table
        )
    return tuple(gates), measured


def _loaded(contender: Contender | NextBestError) -> Measurement:
    return contender if isinstance(contender, NextBestError) else 1


def _invalid(predicted: pd.DataFrame | NextBestError, scored: Scored | NextBestError) -> int:
    mine = calibrating.invalid_probabilities(had(predicted))
    return mine if isinstance(scored, NextBestError) else mine + scored.invalid


def _heads(candidate: Contender) -> tuple:
    return candidate.decider.arbitration.heads


def _counted(contest: Contest, rows: pd.DataFrame, scored: Scored, baseline: str) -> _Counted:
    """Older decisions count as long as they tell the same story (evaluation.recency)."""
    age = (rows["decided_at"].max() - rows["decided_at"]).dt.days.to_numpy()
    newest = age < JUDGED_DAYS
    recent, part = scored.moments(VALUE, newest), np.ones(len(rows), bool)
    lately = newest_lift(recent, CANDIDATE, baseline)
    if newest.all():
        return _Counted(part, recent, "", lately)
    moved, days = _other_story(contest.champion, rows)
    if moved:
        part = age < days
        return _Counted(part, scored.moments(VALUE, part), moved, lately)
    older = scored.moments(VALUE, ~newest)
    if moved := world_moved(recent, older, CANDIDATE, baseline):
        return _Counted(newest, recent, moved, lately)
    return _Counted(part, recent + older, "", lately)


def _other_story(champion: Contender | NextBestError | None, rows: pd.DataFrame) -> tuple[str, int]:
    """Whether outcomes contradict the champion in one part only; "" where there is none to ask."""
    if not isinstance(champion, Contender):
        return "", 0
    head = champion.decider.arbitration.heads[0]
    return calibrating.other_story(rows, head, champion.decider.model.predict(rows))


def _values(rows: pd.DataFrame, counted: _Counted, confidence: float) -> dict[str, Estimate]:
    """The doubly robust value of each version, and the mean of each policy that wrote the log."""
    values = {
        name: value_of(counted.moments, name, "dr", confidence=confidence)
        for name in counted.moments.layout.policies
    }
    for policy, its in rows[counted.part].groupby("policy"):
        here = {CANDIDATE: Target(np.ones(len(its)))}
        mine = fold(LoggedBatch(its["value"], its["propensity"], here))
        values[f"{policy} policy"] = value_of(mine, LOGGING, "on_policy", confidence=confidence)
    return values
