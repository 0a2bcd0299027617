import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from nextbest.decisions.arbitration import Arbitration
from nextbest.decisions.heads import Head
from nextbest.decisions.policy import Policy
from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError
from nextbest.training.policy import Candidate, learn, search
from nextbest.training.reward_model import RewardModel

GREEDY = Policy("new", "1", epsilon=0.1)


def _one(customers, treatments):
    return np.ones((1, 1))


HEADS = (Head("response", "response", _one),)


@dataclasses.dataclass(frozen=True)
class Told:
    """A model that was given its answers: probability = level·u + slope of a treatment · v."""

    level: float
    slope: float
    features: tuple[str, ...] = ("u", "v")

    def predict_matrix(self, customers, treatments, eligible=None):
        """Offer a for positive v, b for negative ones."""
        sign = np.where(treatments.action_id == "a", 1.0, -1.0)
        u, v = (customers[name].to_numpy()[:, None] for name in self.features)
        return {"response": 0.5 + self.level * u + self.slope * v * sign}


@pytest.fixture(scope="module")
def offers():
    frame = pd.DataFrame({"action_id": ["a", "b"], "channel": ["sms", "sms"]})
    frame["treatment"] = frame["action_id"] + ":sms"
    return Treatments.from_frame(frame.assign(value=1.0, cost=0.0, lever=1.0))


@pytest.fixture(scope="module")
def frame(offers):
    """Responders differ much by u, which no offer changes, and a little by offer and v."""
    rng = np.random.default_rng(1)
    n = 20_000
    u, v = rng.uniform(-1, 1, (2, n))
    k = rng.integers(0, 2, n)
    p = 0.5 + 0.4 * u + 0.1 * v * np.where(k == 0, 1, -1)
    days = pd.to_timedelta(np.arange(n) * 10 * 86_400 // n, unit="s")
    outcome = (rng.uniform(size=n) < p).astype(float)
    return pd.DataFrame(
        {
            "decided_at": pd.Timestamp("2026-01-01", tz="UTC") + days,
            "u": u,
            "v": v,
            "treatment": np.array(offers.names, dtype=object)[k],
            "action_id": offers.action_id[k],
            "channel": offers.channel[k],
            "eligible": [offers.names] * n,
            "propensity": 0.5,
            "response": outcome,
            "value": outcome,
        }
    )


def auc(frame, offers, model):
    at = (np.arange(len(frame)), offers.index(frame["treatment"]))
    rank = rankdata(model.predict_matrix(frame, offers)["response"][at])
    good = frame["response"] == 1
    return (rank[good].mean() - (good.sum() + 1) / 2) / (~good).sum()


def candidates(**models):
    rule = Arbitration(HEADS)
    return [Candidate(name, lambda rows, m=model: m, rule) for name, model in models.items()]


@pytest.mark.integration
def test_value_decides_where_auc_prefers_the_worse(frame, offers):
    ranks, chooses = Told(level=0.4, slope=-0.02), Told(level=0.0, slope=0.1)
    assert auc(frame, offers, ranks) > auc(frame, offers, chooses) + 0.1
    for models in (
        {"ranks": ranks, "chooses": chooses},
        {"chooses": chooses, "ranks": ranks},
    ):
        choice = search(frame, candidates(**models), offers, GREEDY)
        assert choice.name == "chooses"
        assert choice.model is chooses
        values = choice.values
        assert values["chooses"].low > values["ranks"].high
        # Truth: .5 ± .1·E|v|, of which exploration leaves 90 %.
        assert values["chooses"].low < 0.545 < values["chooses"].high
        assert values["ranks"].low < 0.455 < values["ranks"].high


@dataclasses.dataclass(frozen=True)
class Nearly(Told):
    """As good as the other, but for customers of a band of v that hardly matters."""

    band: float = 0.0

    def predict_matrix(self, customers, treatments, eligible=None):
        found = super().predict_matrix(customers, treatments, eligible)["response"]
        inside = np.abs(customers["v"].to_numpy() - self.band) < 0.02
        return {"response": np.where(inside[:, None], found[:, ::-1], found)}


@pytest.mark.integration
def test_noise_is_no_reason_to_change(frame, offers):
    """In some band the two differ by less than their noise: then whoever is first stays."""

    def first_stays(band):
        models = {"one": Told(0.4, 0.1), "other": Nearly(0.4, 0.1, band=band)}
        choices = [
            search(frame, candidates(**{name: models[name] for name in names}), offers, GREEDY)
            for names in (("one", "other"), ("other", "one"))
        ]
        values = choices[0].values
        assert values["one"].value != values["other"].value
        return [choice.name for choice in choices] == ["one", "other"]

    assert any(first_stays(band) for band in (-0.06, -0.03, 0.0, 0.03, 0.06))


@pytest.mark.integration
def test_among_equals_the_first_stays_and_only_early_days_are_learned_from(frame, offers):
    seen = []

    def fit(rows):
        seen.append(rows)
        return Told(0.4, 0.1)

    rule = Arbitration(HEADS)
    choice = search(frame, [Candidate(n, fit, rule) for n in ("one", "other")], offers, GREEDY)
    assert choice.name == "one"
    assert [len(rows) for rows in seen] == [16_000, 16_000, 20_000]
    assert choice.values["one"].n == 4_000
    assert "last 4,000 decisions: one" in choice.text


@pytest.mark.integration
def test_bad_searches_are_refused(frame, offers):
    same = [*candidates(a=Told(0, 0)), *candidates(a=Told(0, 0))]
    with pytest.raises(DataError, match="lacks propensity"):
        search(frame.drop(columns="propensity"), candidates(a=Told(0, 0)), offers, GREEDY)
    with pytest.raises(DataError, match="names of their own"):
        search(frame, same, offers, GREEDY)
    with pytest.raises(DataError, match="(none is|none)"):
        search(frame, [], offers, GREEDY)
    closed = frame.assign(eligible=[offers.names[:1]] * len(frame))
    with pytest.raises(DataError, match="not in their eligible"):
        search(closed, candidates(a=Told(0, 0)), offers, GREEDY)


@pytest.mark.integration
def test_learning_is_deterministic_and_its_model_needs_no_spark(frame, offers, tmp_path):
    rows, told = frame.iloc[::10], []
    one = learn(rows, HEADS, ("u", "v"), offers, GREEDY, 1, told.append)
    other = learn(rows, HEADS, ("u", "v"), offers, GREEDY, 1, told.append)
    assert set(one.values) == {"pooled", "apart"}
    assert isinstance(one.model, RewardModel)
    assert one.text == other.text
    assert len(told) == 2
    p = [each.model.predict_matrix(rows, offers)["response"] for each in (one, other)]
    np.testing.assert_array_equal(*p)
    best = p[0].argmax(axis=1) == np.where(rows["v"] > 0, 0, 1)
    assert best.mean() > 0.85
    path = tmp_path / "model"
    path.write_bytes(pickle.dumps((one.model, rows.head(5), offers)))
    script = (
        "import pickle, sys; model, rows, offers = pickle.load(open(sys.argv[1], 'rb'));"
        "model.predict_matrix(rows, offers); sys.exit('pyspark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 0
