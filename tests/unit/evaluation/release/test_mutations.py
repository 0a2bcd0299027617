"""Every way to break a release is refused for its own reason, and a better model is released.

The contest is real: fitted models, a log of the simulated world, the bundle's own thresholds.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from mutations import contests
from mutations.table import BEGIN, END, GUIDE, MUTATIONS, markdown

from nextbest.evaluation.release.trial import hold_trial

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("mutations")]

# All of them take minutes; these are told within a second each.
QUICK = {"raises", "no-candidate", "empty", "thin", "thin-slice", "no-feature", "outside-eligible",
         "nan", "lost-output", "learned-from"}  # fmt: skip
ALL = [
    pytest.param(each, id=each.name, marks=[] if each.name in QUICK else [pytest.mark.slow])
    for each in MUTATIONS
]


@pytest.fixture(scope="module")
def sound():
    return contests.sound()


def fresh(sound):
    """The contest with rows of its own, which a mutation may spoil."""
    contest, learned = sound
    return dataclasses.replace(contest, rows=contest.rows.copy()), learned


def refused(trial):
    return {finding.gate.name: finding for finding in trial.verdict.findings if not finding.passed}


def test_a_better_version_is_released(sound):
    trial = hold_trial(fresh(sound)[0], contests.gates(), "1")
    assert trial.verdict.passed, trial.verdict.text
    assert trial.over.low > 0.1
    asked = {finding.gate.name for finding in trial.verdict.findings}
    declared = {gate for mutation in MUTATIONS for gate in [mutation.gate] if "+" not in gate}
    assert declared <= asked


def test_where_outcomes_contradict_the_champion_lately_only_those_days_count(sound):
    contest = fresh(sound)[0]
    rows, model = contest.rows, contest.champion.decider.model
    age = (rows["decided_at"].max() - rows["decided_at"]).dt.days.to_numpy()
    other = rows["action_id"].isin(sorted(rows["action_id"].unique())[::2]).to_numpy()
    chance = model.predict(rows)["p_response"].to_numpy() * np.where(other, 3.0, 0.1)
    drawn = np.random.default_rng(5).random(len(rows)) < chance
    came = np.where(age < 9, drawn, rows["response"]).astype(float)
    trial = hold_trial(
        dataclasses.replace(contest, rows=rows.assign(response=came)), contests.gates(), "1"
    )
    assert "on the newest decisions" in trial.moved
    assert "by action, other responses came" in trial.moved
    assert any(f"newest {days} days count" in trial.moved for days in (7, 8, 9))
    assert trial.moments.n < 0.6 * len(rows)


def test_on_the_first_day_the_baseline_is_who_wrote_the_log(sound):
    contest = dataclasses.replace(fresh(sound)[0], champion=None)
    trial = hold_trial(contest, contests.gates(), None)
    assert trial.baseline == "logging"
    assert not {"champion can be loaded", "time, over the champion's"} & {
        finding.gate.name for finding in trial.verdict.findings
    }
    assert trial.verdict.passed, trial.verdict.text


@pytest.mark.parametrize("mutation", ALL)
def test_what_is_broken_is_refused_and_named(sound, mutation):
    trial = hold_trial(mutation.change(*fresh(sound)), contests.gates(), "1")
    assert not trial.verdict.passed
    found = refused(trial)
    assert mutation.gate in found, sorted(found)
    assert found[mutation.gate].reason in trial.verdict.text


def test_there_are_enough_of_them_and_the_guide_lists_them():
    assert len({each.name for each in MUTATIONS}) == len(MUTATIONS) >= 25
    text = GUIDE.read_text()
    assert (
        text.split(BEGIN)[1].split(END)[0] == markdown()
    ), "PYTHONPATH=tests .venv/bin/python -m mutations.table"
