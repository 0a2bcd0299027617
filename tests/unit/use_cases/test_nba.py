"""Next best action's wiring: what outcomes are worth, and that a served model needs no Spark."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from mutations.contests import settings

from nextbest.decisions.treatments import Treatments
from nextbest.use_cases import nba_heads
from nextbest.use_cases.nba_gates import simulated_gates

pytestmark = pytest.mark.integration

ACTIONS = pd.DataFrame(
    {
        "treatment": ["none", "upgrade:email"], "action_id": ["none", "upgrade"],
        "channel": ["none", "email"], "value": [3.0, 0.5], "cost": [0.0, 0.1], "lever": [1.0, 1.0],
    }
)  # fmt: skip


def test_outcomes_are_worth_margins():
    treatments = Treatments.from_frame(ACTIONS)
    customers = pd.DataFrame({"monthly_margin": [10.0, 20.0]})
    response, purchase, opt_out = (
        np.broadcast_to(head.value(customers, treatments), (2, 2))
        for head in nba_heads.SIMULATED_HEADS
    )
    upgrade = treatments.names.index("upgrade:email")
    assert response[:, upgrade].tolist() == [5.0, 10.0]
    assert purchase.tolist() == [[30.0, 30.0], [60.0, 60.0]]
    assert opt_out.tolist() == [[-20.0, -20.0], [-40.0, -40.0]]


def test_how_many_more_may_be_contacted_is_a_setting():
    for share in ("0.1", "0.5"):
        asked = simulated_gates(settings(max_contact_growth=share)).guardrails
        assert [each.most for each in asked if each.quantity == "contact"] == [float(share)]


def test_what_a_served_model_is_made_of_imports_without_spark():
    script = (
        "import sys; sys.modules['pyspark'] = None\n"
        "import nextbest.use_cases.nba_heads, nextbest.decisions.decide\n"
        "import nextbest.training.reward_model, nextbest.training.pyfunc\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
