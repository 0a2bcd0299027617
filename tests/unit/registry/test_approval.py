"""Who had a version judged can't approve it, and an approval is of one verdict."""

from __future__ import annotations

import datetime as dt

import pytest

from nextbest import registry
from nextbest.errors import PlatformError
from nextbest.registry.approval import NotApproved, approve, approver, sign_verdict

# On one worker: each registry is made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("approval")]

DAY = dt.date(2026, 3, 1)


@pytest.fixture
def judge(tiny, home, local_mlflow):
    """A version of a model of its own; judge it on a day: (day, passed) → (model, version)."""
    import uuid

    import mlflow

    local_mlflow(home)
    name = f"a.b.{uuid.uuid4().hex}"
    mlflow.register_model(tiny(), name)

    def give(day=DAY, passed=True, who="ada"):
        sign_verdict(name, "1", who)
        told = {"text": "fine" if passed else "too thin", "passed": passed}
        registry.record_verdict(name, "1", told, against=None, as_of=day, holdout=f"h{day}")
        return name, "1"

    return name, give


def test_somebody_else_approves(judge):
    _, give = judge
    at = give()
    with pytest.raises(NotApproved, match="waits for approval: somebody else than ada runs `dbb"):
        approver(*at)
    assert approve(*at, "eve") == "2026-03-01 against logging on h2026-03-01"
    assert approver(*at) == "eve"
    assert registry.client().get_model_version(*at).tags["approval"] == "approved"


def test_who_had_it_judged_does_not(judge):
    _, give = judge
    at = give()
    with pytest.raises(NotApproved, match="ada had it judged, and so can't approve it") as refused:
        approve(*at, "ada")
    assert refused.value.exit_code == 1
    assert "approval" not in registry.client().get_model_version(*at).tags
    registry.client().set_model_version_tag(*at, "approval", "Approved")  # the workspace's button
    with pytest.raises(NotApproved, match="by whom is not known"):
        approver(*at)
    registry.client().set_model_version_tag(*at, "approval_by", "ada")
    with pytest.raises(NotApproved, match="ada approved another verdict"):
        approver(*at)
    registry.client().set_model_version_tag(*at, "approval_of", approved_of(at))
    with pytest.raises(NotApproved, match="ada had it judged"):
        approver(*at)


def approved_of(at):
    tags = registry.client().get_model_version(*at).tags
    return f"{tags['verdict_as_of']} against {tags['verdict_against']} on {tags['verdict_holdout']}"


def test_another_verdict_takes_another_approval(judge):
    _, give = judge
    at = give()
    approve(*at, "eve")
    give(dt.date(2026, 3, 2))
    with pytest.raises(NotApproved, match="eve approved another verdict"):
        approver(*at)
    give(passed=False)
    with pytest.raises(NotApproved, match="no verdict that passed: too thin"):
        approve(*at, "eve")


def test_what_was_never_judged_or_is_not_there(judge):
    name, _ = judge
    with pytest.raises(NotApproved, match="it was never judged"):
        approve(name, "1", "eve")
    with pytest.raises(PlatformError, match=f"{name} version 9"):
        approve(name, "9", "eve")
