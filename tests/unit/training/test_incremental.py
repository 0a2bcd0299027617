import pickle

import numpy as np
import pandas as pd
import pytest

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.decide import Decider
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError
from nextbest.training.incremental import KINDS, MONEY, fit

pytestmark = pytest.mark.integration

EFFECTS = {"a:sms": 2.0, "a:email": 1.0, "b:sms": -1.0, "b:email": 0.0}


@pytest.fixture(scope="module")
def treatments():
    names = ["none", *EFFECTS]
    parts = [(name.split(":") * 2)[:2] for name in names]
    frame = pd.DataFrame(parts, columns=["action_id", "channel"])
    return Treatments.from_frame(frame.assign(treatment=names, value=1.0, cost=0.1, lever=1.0))


def log(treatments, n=20_000, seed=1):
    """Net value 3·y + effect·x − cost, chosen with propensities that depend on x."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n))
    weight = np.exp(0.5 * x[:, None] * np.arange(len(treatments)) / 2)
    chance = weight / weight.sum(axis=1, keepdims=True)
    arm = (chance.cumsum(axis=1) < rng.uniform(size=n)[:, None]).sum(axis=1)
    effect = np.array([EFFECTS.get(name, 0.0) for name in treatments.names])
    value = 3 * y + effect[arm] * x + rng.normal(size=n) - treatments.cost[arm]
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "treatment": np.array(treatments.names, dtype=object)[arm],
            "eligible": [treatments.names] * n,
            "propensity": chance[np.arange(n), arm],
            "value": value,
        }
    )


@pytest.mark.parametrize("kind", KINDS)
def test_known_effects_are_recovered(kind, treatments):
    frame = log(treatments)
    model = fit(frame, treatments, ("x", "y"), kind)
    money = model.predict_matrix(frame, treatments)[MONEY.name]
    for name, effect in EFFECTS.items():
        found = money[:, treatments.index([name])[0]]
        np.testing.assert_allclose(np.polyfit(frame["x"], found, 1), [effect, 0.0], atol=0.25)
    assert (money[:, treatments.is_none] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_deterministic_pickles_and_decides(kind, treatments):
    frame = log(treatments, 3_000)
    one, other = (fit(frame, treatments, ("x", "y"), kind) for _ in range(2))
    other = pickle.loads(pickle.dumps(other))
    eligible = np.random.default_rng(0).uniform(size=(3_000, len(treatments))) < 0.7
    told = [each.predict_matrix(frame, treatments, eligible)[MONEY.name] for each in (one, other)]
    np.testing.assert_array_equal(*told)
    np.testing.assert_array_equal(np.isnan(told[0]), ~eligible)
    decider = Decider(one, treatments, Arbitration((MONEY,)), Policy("p", "1", epsilon=0.0))
    score = decider.scores(frame, np.ones_like(eligible)).score
    whole = one.predict_matrix(frame, treatments)[MONEY.name] - treatments.cost
    np.testing.assert_allclose(score, whole)


def test_bad_logs_are_refused(treatments):
    frame = log(treatments, 500)
    with pytest.raises(DataError, match="learner 's' .*lacks nothing"):
        fit(frame, treatments, ("x",), "s")
    with pytest.raises(DataError, match="lacks eligible, propensity"):
        fit(frame.drop(columns=["propensity", "eligible"]), treatments, ("x",), "dr")
    with pytest.raises(DataError, match="no decision of .* is 'none'"):
        fit(frame[frame["treatment"] != "none"], treatments, ("x",), "t")
