"""Compare and set on a real registry and a real Delta ledger, and what it leaves there."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from nextbest.errors import DataError, PlatformError
from nextbest.platforms.releases import ABANDONED, DONE, INTENDED
from nextbest.registry import NotReleased, PromotionLost, Recorded, release
from nextbest.registry.promotion import Order, carry_out, follow, settle
from nextbest.registry.releasing import force, lacking, roll_back

pytestmark = pytest.mark.integration

DAY = dt.date(2026, 3, 1)


def verdict(against="logging", day=DAY, holdout="h1", passed=True):
    return Recorded(passed, against, day, holdout, "fine")


def told(releases, model):
    return [
        (each.action, each.to_alias, each.previous_version, each.version, each.state)
        for each in releases.ledger.steps(model)
    ]


def test_a_promotion_stands_on_the_ledger_before_and_after(releases, model):
    step = release(releases, model, "1", "champion", verdict(), commit="abc")
    assert told(releases, model) == [
        ("promote", "champion", None, "1", INTENDED), ("promote", "champion", None, "1", DONE),
    ]  # fmt: skip
    assert (step.promoted_by, step.commit, step.as_of) == (releases.who(), "abc", DAY)
    assert dict(releases.aliases.of(model)) == {"champion": "1"}
    release(releases, model, "2", "champion", verdict("1"))
    assert dict(releases.aliases.of(model)) == {"champion": "2", "previous_champion": "1"}


def test_the_same_again_changes_nothing(releases, model):
    release(releases, model, "1", "champion", verdict())
    assert release(releases, model, "1", "champion", verdict()) is None
    assert len(told(releases, model)) == 2


def test_who_comes_second_is_told_by_whom(releases, model):
    release(releases, model, "1", "champion", verdict())
    release(releases, model, "2", "champion", verdict("1"), reason="better")
    with pytest.raises(PromotionLost, match=rf"is version 2 since .* by {releases.who()} .*better"):
        release(releases, model, "3", "champion", verdict("1"))
    assert releases.aliases.of(model)["champion"] == "2"


def test_what_did_not_pass_is_not_released(releases, model):
    with pytest.raises(NotReleased, match="version 1 is not released: fine"):
        release(releases, model, "1", "champion", verdict(passed=False))
    assert told(releases, model) == []


@pytest.mark.parametrize(
    ("recorded", "champion", "why"),
    [
        (None, "1", "no whole verdict"),
        (verdict(), "1", "against the policy that wrote the log, not version 1"),
        (verdict("1"), None, "against version 1, not the policy"),
        (verdict("1", day=dt.date(2026, 2, 28)), "1", "of 2026-02-28, not of 2026-03-01"),
        (verdict("1"), "1", None),
        (verdict(), "2", None),
    ],
)
def test_evidence_is_against_todays_champion_and_of_the_day(recorded, champion, why):
    found = lacking(recorded, "2", champion, DAY)
    assert found is None if why is None else why in found


def test_a_rollback_is_one_step_and_the_next_goes_further(releases, model):
    for version, before in (("1", "logging"), ("2", "1"), ("3", "2")):
        release(releases, model, version, "champion", verdict(before))
    roll_back(releases, model, DAY, reason="complaints")
    assert dict(releases.aliases.of(model)) == {"champion": "2", "previous_champion": "1"}
    roll_back(releases, model, DAY)
    assert dict(releases.aliases.of(model)) == {"champion": "1"}
    with pytest.raises(DataError, match="no champion before version 1"):
        roll_back(releases, model, DAY)
    assert told(releases, model)[-1] == ("roll back", "champion", "2", "1", DONE)


def test_what_was_rolled_back_needs_newer_rows(releases, model):
    release(releases, model, "1", "champion", verdict())
    release(releases, model, "2", "champion", verdict("1"))
    roll_back(releases, model, DAY, reason="complaints")
    later = DAY + dt.timedelta(1)
    for again in (verdict("1"), verdict("1", later), verdict("1", DAY, "h2")):
        with pytest.raises(NotReleased, match="rolled back by .*complaints.*newer decisions"):
            release(releases, model, "2", "champion", again)
    assert releases.aliases.of(model)["champion"] == "1"
    assert release(releases, model, "2", "champion", verdict("1", later, "h2")).version == "2"
    roll_back(releases, model, later)
    assert force(releases, model, "2", "champion", None, from_alias=None, reason="r", commit=None)


def test_a_promotion_cut_off_is_completed_by_the_next_command(releases, model):
    done = release(releases, model, "1", "champion", verdict())
    begun = dataclasses.replace(
        done, sequence=2, state=INTENDED, version="2", previous_version="1",
        previous_champion="1", promotion_id="of one who was killed",
    )  # fmt: skip
    assert releases.ledger.append(begun)
    settle(releases, model)
    assert dict(releases.aliases.of(model)) == {"champion": "2", "previous_champion": "1"}
    assert told(releases, model)[-1] == ("promote", "champion", "1", "2", DONE)


def test_one_that_can_no_longer_be_completed_is_given_up(releases, model):
    done = release(releases, model, "1", "champion", verdict())
    assert releases.ledger.append(
        dataclasses.replace(done, sequence=2, state=INTENDED, version="9", promotion_id="x")
    )
    settle(releases, model)
    last = releases.ledger.steps(model)[-1]
    assert (last.state, last.reason) == (ABANDONED, "does not exist (there are 1, 2, 3, 4)")
    assert dict(releases.aliases.of(model)) == {"champion": "1"}


def test_an_alias_moved_by_hand_is_noted(releases, model):
    release(releases, model, "1", "champion", verdict())
    releases.aliases.move(model, "champion", "3")
    with pytest.raises(PromotionLost, match="version 3 since .*found: moved outside of the ledger"):
        release(releases, model, "2", "champion", verdict("1"))
    assert told(releases, model)[-1] == ("found", "champion", "1", "3", DONE)
    roll_back(releases, model, DAY)
    assert releases.aliases.of(model)["champion"] == "1"
    releases.aliases.move(model, "champion", None)
    settle(releases, model)
    assert told(releases, model)[-1] == ("found", "champion", "1", "", DONE)


def test_a_version_that_is_not_there_or_lost_its_files_is_refused(releases, model, tiny, home):
    import mlflow

    assert releases.aliases.missing(model, "1") is None
    name = f"{model}_lost"
    mlflow.register_model(uri := tiny(), name)
    (file,) = home.rglob(f"{uri.removeprefix('models:/')}/artifacts/MLmodel")
    file.unlink()
    for version, why in (("7", "does not exist .there are 1.*no alias"), ("1", "has lost its fil")):
        with pytest.raises(PlatformError, match=f"version {version}: {why}"):
            release(releases, name, version, "champion", verdict())
    assert told(releases, name) == []
    assert dict(releases.aliases.of(name)) == {}


def test_an_unknown_model_is_told_with_those_there_are(releases, model):
    with pytest.raises(PlatformError, match=f"no model a.b.c in .*there are .*{model}"):
        carry_out(releases, Order("a.b.c", "1", "champion", None))


def test_the_endpoint_follows(releases, model, home):
    release(releases, model, "1", "champion", verdict())
    assert follow(releases, model, "never deployed") is None
    releases.serving.deploy(model, model, "1")
    assert follow(releases, model, model) is None
    release(releases, model, "2", "champion", verdict("1"))
    assert follow(releases, model, model) == "2"
    assert releases.serving.served(model).version == "2"
    releases.serving.deploy("another's", "a.b.c", "1")
    assert follow(releases, model, "another's") is None


class Refusing:
    """Aliases whose `nth` move is refused."""

    def __init__(self, aliases, nth):
        self.aliases, self.left = aliases, nth

    def move(self, *what):
        self.left -= 1
        if not self.left:
            raise PlatformError("alias: refused (PERMISSION_DENIED)")
        self.aliases.move(*what)

    def __getattr__(self, name):
        return getattr(self.aliases, name)


@pytest.mark.parametrize("nth", [1, 2])
def test_what_a_registry_refuses_leaves_all_as_it_was(releases, model, nth):
    release(releases, model, "1", "champion", verdict())
    release(releases, model, "2", "champion", verdict("1"))
    before = dict(releases.aliases.of(model))
    refusing = dataclasses.replace(releases, aliases=Refusing(releases.aliases, nth))
    with pytest.raises(PlatformError, match="PERMISSION_DENIED"):
        release(refusing, model, "3", "champion", verdict("2"))
    assert dict(releases.aliases.of(model)) == before
    assert releases.ledger.steps(model)[-1].state == ABANDONED
    assert release(releases, model, "3", "champion", verdict("2")).state == DONE
