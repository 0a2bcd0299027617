"""Open Bandit logs: every cell of the reference, §2."""

from __future__ import annotations

import sys

import pytest

from nextbest.evaluation.ope.diagnostics import evidence
from nextbest.evaluation.ope.moments import fold
from nextbest.evaluation.ope.value import evaluate

pytestmark = pytest.mark.integration  # it reads the real logs

#        cell                      on-policy  ips            snips          ess        max weight
WEIGHTED = {
    ("all", "random→bts"): (0.0038, 0.004552880000, 0.004775833081, 1639.5019, 19.598),
    ("all", "bts→random"): (0.0042, 0.002359639517, 0.002333713893, 340.3783, 277.78),
    ("men", "random→bts"): (0.0046, 0.004533560000, 0.004604232164, 2467.4024, 10.689),
    ("men", "bts→random"): (0.0069, 0.003008626327, 0.003189423162, 655.7098, 178.25),
}
MODELLED = {
    ("all", "random→bts"): {
        "dm": 0.004214548688,
        "dr": 0.004684326832,
        "sndr": 0.004707331718,
        "switch_dr": 0.004459058050,
        "dros": 0.004261551989,
        "sg_dr": 0.004345066084,
    },
    ("all", "bts→random"): {
        "dm": 0.004197933443,
        "dr": 0.002670495331,
        "sndr": 0.002687277465,
        "switch_dr": 0.003885084163,
        "dros": 0.004208855100,
        "sg_dr": 0.003757865047,
    },
    ("men", "random→bts"): {
        "dm": 0.004620142109,
        "dr": 0.004628058378,
        "sndr": 0.004628181782,
        "switch_dr": 0.004660065890,
        "dros": 0.004669547674,
        "sg_dr": 0.004678999131,
    },
    ("men", "bts→random"): {
        "dm": 0.006265263399,
        "dr": 0.003095841896,
        "sndr": 0.002905382426,
        "switch_dr": 0.005954823877,
        "dros": 0.005747670395,
        "sg_dr": 0.004778550347,
    },
}


@pytest.mark.parametrize("cell", WEIGHTED, ids=" ".join)
def test_weighted_estimators_and_diagnostics_meet_the_anchors(open_bandit, cell):
    on_policy, ips, snips, ess, max_weight = WEIGHTED[cell]
    value = evaluate(fold(open_bandit(*cell)), "target")
    assert value.logging.value == pytest.approx(on_policy, abs=1e-12)
    assert value.estimates["ips"].value == pytest.approx(ips, abs=1e-12)
    assert value.estimates["snips"].value == pytest.approx(snips, abs=1e-12)
    # These two are given with fewer digits: 4 decimals, and 5 significant ones.
    assert value.diagnostics.ess == pytest.approx(ess, abs=5.1e-5)
    assert f"{value.diagnostics.max_weight:.5g}" == f"{max_weight:.5g}"


@pytest.mark.parametrize("cell", MODELLED, ids=" ".join)
def test_model_based_estimators_meet_the_anchors(open_bandit, cell):
    estimates = evaluate(fold(open_bandit(*cell)), "target").estimates
    found = {name: estimates[name].value for name in MODELLED[cell]}
    assert found == pytest.approx(MODELLED[cell], abs=1e-12, rel=0)


@pytest.mark.parametrize("cell", WEIGHTED, ids=" ".join)
def test_forty_clicks_are_too_few_to_go_on(open_bandit, cell):
    reasons = evidence(evaluate(fold(open_bandit(*cell)), "target").diagnostics, min_ess=500)
    assert any("positive rewards" in reason for reason in reasons)


def test_the_reference_package_is_never_imported(open_bandit):
    open_bandit("all", "random→bts")
    assert "obp" not in sys.modules
