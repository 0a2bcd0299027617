import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from nextbest.decisions.treatments import Treatments
from nextbest.errors import DataError
from nextbest.training.reward_model import fit

pytestmark = pytest.mark.integration

FEATURES = ("x", "y", "segment", "consent")


@pytest.fixture(scope="module")
def log(make_log):
    return make_log(12_000)


@pytest.fixture(scope="module")
def fitted(log, heads):
    told = []
    return fit(log, heads, FEATURES, 1, told.append), told


@pytest.fixture(scope="module")
def model(fitted):
    return fitted[0]


@pytest.fixture(scope="module")
def bent(make_log, heads):
    """A world that no linear logit describes: responses need x·y > 0."""
    log = make_log(16_000, bend=lambda x, y: np.where(x * y > 0, 1.0, -2.0))
    return fit(log, heads, FEATURES, 1, lambda text: None), log


def test_it_learns_who_responds_to_what(model, log, treatments):
    p = model.predict_matrix(log.head(2_000), treatments)["response"]
    a, b = treatments.index(["a:sms", "b:sms"])
    x = log["x"].head(2_000).to_numpy()
    known = ~np.isnan(x)
    truth = expit(-3 + 1.5 * x[known])
    assert np.corrcoef(p[known, a], truth)[0, 1] > 0.98
    assert np.corrcoef(p[known, b], truth)[0, 1] < -0.3
    assert (p[:, treatments.is_none] == 0).all()


def test_it_is_calibrated_on_other_decisions(heads, make_log):
    fresh = make_log(40_000, seed=99)
    p = fit(make_log(20_000, seed=98), heads[:1], FEATURES, 1, print).predict(fresh)
    parts = pd.qcut(p["p_response"].rank(method="first"), 10, labels=False)
    rates = pd.DataFrame({"p": p["p_response"], "y": fresh["response"]}).groupby(parts).mean()
    assert rates["y"].iloc[-1] > 0.2
    assert (rates["p"] / rates["y"].clip(lower=0.005) - 1)[rates["y"] > 0.02].abs().max() < 0.25
    assert (rates["p"] - rates["y"]).abs().max() < 0.03


def test_trees_find_what_is_not_linear(bent, make_log):
    model, log = bent
    assert model.heads[0].trees > 5
    p = model.predict(log.assign(action_id="a", channel="sms"))["p_response"]
    same = (log["x"] * log["y"] > 0) & (log["x"].abs() < 1)
    other = (log["x"] * log["y"] < 0) & (log["x"].abs() < 1)
    assert p[same].mean() > 4 * p[other].mean()


@pytest.mark.parametrize("which", ["model", "bent"])
def test_rows_matrix_and_parts_agree_to_the_last_bit(which, request, log, treatments):
    model = request.getfixturevalue(which)
    model = model if which == "model" else model[0]
    customers = log.head(300)
    rng = np.random.default_rng(0)
    eligible = rng.uniform(size=(300, len(treatments))) < 0.5
    whole = model.predict_matrix(customers, treatments)
    part = model.predict_matrix(customers, treatments, eligible)
    alone = model.predict_matrix(customers[7:8], treatments)
    for name, values in whole.items():
        np.testing.assert_array_equal(part[name], np.where(eligible, values, np.nan))
        np.testing.assert_array_equal(alone[name], values[7:8])
        for k in range(len(treatments)):
            rows = customers.assign(
                action_id=treatments.action_id[k], channel=treatments.channel[k]
            )
            np.testing.assert_allclose(model.predict(rows)[f"p_{name}"], values[:, k], rtol=1e-12)


def test_a_head_sees_only_what_it_may(model, log, treatments):
    customers = log.head(200)
    p = model.predict_matrix(customers, treatments)["purchase"]
    sms, email = treatments.index(["a:sms", "a:email"])
    np.testing.assert_array_equal(p[:, sms], p[:, email])
    moved = model.predict_matrix(customers.assign(x=5.0, consent=False), treatments)["purchase"]
    np.testing.assert_array_equal(p, moved)


def test_unknown_levels_and_new_offers_are_answered(model, log, treatments):
    frame = pd.DataFrame({"action_id": ["new"], "channel": ["sms"], "treatment": ["new:sms"]})
    new = Treatments.from_frame(frame.assign(value=1.0, cost=0.0, lever=1.0))
    customers = log.head(50).assign(segment="unheard of", x=None)
    p = model.predict_matrix(customers, new)["response"]
    assert ((p > 0) & (p < 0.5)).all()


def test_the_same_seed_gives_the_same_model_and_it_pickles(model, bent, heads, log, treatments):
    again = fit(log, heads, FEATURES, 1, lambda text: None)
    pairs = [(model, again), (bent[0], pickle.loads(pickle.dumps(bent[0])))]
    for one, other in pairs:
        for name, values in one.predict_matrix(log.head(100), treatments).items():
            np.testing.assert_array_equal(
                other.predict_matrix(log.head(100), treatments)[name], values
            )


def test_progress_is_told_per_head(fitted):
    told = fitted[1]
    assert [text.split(":")[0] for text in told] == ["head response", "head purchase"]


def test_bad_logs_are_refused_with_all_reasons(log, heads):
    with pytest.raises(DataError) as refused:
        fit(
            log.assign(response=np.nan, purchase=0.0).drop(columns="channel"),
            heads, FEATURES, 1, print,
        )  # fmt: skip
    for words in (
        "column 'channel' is missing",
        "'response' is neither 0 nor 1 in 12000 of 12000 rows",
        "'purchase' has 0 positives in 12000 rows",
    ):
        assert words in str(refused.value)


def test_missing_features_are_named(model, log, treatments):
    with pytest.raises(DataError, match="needs the columns y, segment"):
        model.predict_matrix(log.drop(columns=["y", "segment"]), treatments)


def test_it_knows_how_sure_it_is(model, log, treatments, heads, make_log):
    some = log.head(500)
    wanted = np.random.default_rng(1).random((500, len(treatments))) < 0.7
    p, sure = (f(some, treatments, wanted)["response"]
               for f in (model.predict_matrix, model.predict_deviations))  # fmt: skip
    assert (np.isnan(sure) == ~wanted).all()
    assert (sure[:, treatments.is_none] == 0)[wanted[:, treatments.is_none]].all()
    contacts = wanted & ~treatments.is_none
    assert (sure[contacts] > 0).all()
    assert np.nanmedian(sure[contacts] / p[contacts]) < 0.5
    little = fit(make_log(3_000), heads, FEATURES, 1, print)
    less_sure = little.predict_deviations(some, treatments, wanted)["response"]
    assert np.median(less_sure[contacts] / sure[contacts]) > 1.3
    alone = model.predict_deviations(some.iloc[7:8], treatments, wanted[7:8])["response"]
    np.testing.assert_array_equal(alone[0], sure[7])


def test_after_the_world_has_turned_it_is_less_sure(make_log, heads, treatments):
    """What one week tells of the new world is less than what forty days told of the old one."""
    steady = make_log(20_000)
    first = steady["decided_at"].min()
    steady["decided_at"] = first + 4 * (steady["decided_at"] - first)
    late = steady["decided_at"] > steady["decided_at"].max() - pd.Timedelta(days=7)
    turned = steady.assign(x=steady["x"].where(~late, -steady["x"]))
    some, contacts = steady.head(300), ~treatments.is_none
    sure = []
    for log in (steady, turned):
        model = fit(log, heads[:1], FEATURES, 1, lambda text: None)
        p = model.predict_matrix(some, treatments)["response"][:, contacts]
        wanted = np.ones((len(some), len(treatments)), dtype=bool)
        unsure = model.predict_deviations(some, treatments, wanted)["response"][:, contacts]
        sure.append(unsure / (p * (1 - p)))  # in logits
    assert np.median(sure[1] / sure[0]) > 1.5


def test_an_outcome_that_has_just_begun_is_learned_from(make_log, heads, treatments):
    log = make_log(4_000)
    begun = log["decided_at"].dt.date == log["decided_at"].dt.date.max()
    log["response"] = np.where(begun & (log["channel"] != "none"), log["response"], 0)
    some = log.index[begun & (log["channel"] != "none")][:15]
    log.loc[some, "response"] = 1
    p = fit(log, heads[:1], FEATURES, 1, lambda text: None).predict_matrix(log, treatments)
    assert np.isfinite(p["response"]).all()


def test_responses_without_a_contact_are_none(make_log, heads):
    log = make_log(4_000)
    log["response"] = (log["channel"] == "none").astype(int)
    with pytest.raises(DataError, match="'response' has 0 positives in .* rows with a contact"):
        fit(log, heads[:1], FEATURES, 1, lambda text: None)
