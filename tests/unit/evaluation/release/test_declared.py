from __future__ import annotations

import dataclasses

import pytest

from nextbest.errors import SettingsError
from nextbest.evaluation.release.declared import KINDS, Calibration, Guardrail, ReleaseGates

pytestmark = pytest.mark.unit

WHY = dict.fromkeys(KINDS, "it can't be known")


def test_what_is_not_declared_says_why():
    with pytest.raises(SettingsError, match="no gate|neither") as told:
        ReleaseGates((), (), (), ())
    assert all(name in str(told.value) for name in KINDS)
    assert ReleaseGates((), (), (), (), unasked=WHY).unasked == WHY


def test_an_empty_reason_is_none():
    with pytest.raises(SettingsError, match="on fairness"):
        ReleaseGates((), (), (), (), unasked={**WHY, "fairness": ""})


def test_nothing_is_both_asked_and_not():
    guarded = (Guardrail("contact rate", "contact", 0.1),)
    with pytest.raises(SettingsError, match="both .* contact rate"):
        ReleaseGates(guarded, (Calibration("click"),), (), (), unasked=WHY)
    kept = {name: why for name, why in WHY.items() if name not in ("contact rate", "calibration")}
    assert ReleaseGates(guarded, (Calibration("click"),), (), (), unasked=kept)


def test_values_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Guardrail("a", "contact", 0.1).most = 2.0
