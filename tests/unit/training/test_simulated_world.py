import numpy as np
import pandas as pd
import pytest

from nextbest.data.truth import captured
from nextbest.decisions.arbitration import Arbitration, arbitrate
from nextbest.decisions.policy import Policy
from nextbest.training.reward_model import fit

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("seed", "days", "least"), [(5, 10, 0.6), (6, 40, 0.8)])
def test_greedy_by_expected_value_beats_the_logging_policy(simulate, seed, days, least):
    """50,000 and 200,000 logged decisions; benchmarks/learning.py holds it against peers."""
    case = simulate(seed, days)
    share = share_captured(case, case.log)
    assert share > captured(case.truth, case.logging) + 0.1
    assert share > least


def test_a_week_after_customers_changed_it_has_learned_how(simulate):
    case = simulate(7, 35, changed=7)
    turn = case.log["decided_at"].max().normalize() - pd.Timedelta(days=6)
    before = share_captured(case, case.log[case.log["decided_at"] < turn].reset_index(drop=True))
    now = share_captured(case, case.log)
    assert now > before + 0.15
    assert now > 0.75


def share_captured(case, log):
    """Share of the oracle's gap that a model of the log captures, greedily."""
    model = fit(log, case.heads, case.features, 1, print)
    eligible = np.empty_like(case.truth.eligible)
    eligible[:, case.columns] = case.truth.eligible
    p = model.predict_matrix(case.customers, case.treatments, eligible)
    scores = arbitrate(p, case.customers, case.treatments, Arbitration(case.heads)).score
    ours = Policy("greedy", "1", epsilon=0.0).probabilities(scores, eligible)[:, case.columns]
    print(captured(case.truth, ours))
    return captured(case.truth, ours)
