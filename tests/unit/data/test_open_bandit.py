from __future__ import annotations

import datetime as dt
import importlib
import sys

import numpy as np
import pandas as pd
import pytest

from nextbest.data import open_bandit
from nextbest.data.contracts import contracts
from nextbest.errors import DataError

AFTER = dt.date(2019, 12, 1)
ITEMS = {"all": 80, "men": 34, "women": 46}
CLICKS = {"all": (38, 42), "men": (46, 69), "women": (46, 46)}
FLOOR = {"all": 4.5e-5, "men": 1.65e-4, "women": 1e-6}


@pytest.fixture(scope="module", params=open_bandit.CAMPAIGNS)
def campaign(request):
    return request.param


@pytest.fixture(scope="module")
def frames(spark, campaign):
    return open_bandit.read(spark, campaign, AFTER)


@pytest.mark.integration
def test_rows_clicks_and_propensities_are_those_of_the_logs(frames, campaign):
    log = frames["decisions"].toArrow().to_pandas()
    clicks = frames["outcomes"].toArrow().to_pandas().merge(log, on="decision_id")
    assert log.groupby("policy").size().to_dict() == {"random": 10_000, "bts": 10_000}
    found = clicks.groupby("policy").size()
    assert (found["random"], found["bts"]) == CLICKS[campaign]
    assert (clicks["kind"] == "click").all()
    assert (clicks[["reward", "value"]] == 1.0).all(axis=None)
    assert (clicks["observed_at"] == clicks["decided_at"]).all()
    lowest = log.groupby("policy")["propensity"].min()
    assert lowest["bts"] == FLOOR[campaign]
    assert lowest["random"] == pytest.approx(1 / ITEMS[campaign])
    assert log["decided_at"].min() >= pd.Timestamp("2019-11-24", tz="UTC")
    assert log["decided_at"].max() < pd.Timestamp("2019-12-01", tz="UTC")
    assert log["decision_id"].is_unique
    assert log["customer_id"].is_unique


@pytest.mark.integration
def test_every_item_is_eligible_at_the_position(frames, campaign):
    log = frames["decisions"].toArrow().to_pandas()
    items = ITEMS[campaign]
    for channel, sets in log.groupby("channel")["eligible"]:
        expected = tuple(f"{item}:{channel}" for item in range(items))
        assert set(sets.map(tuple)) == {expected}
    actions = frames["actions"].toArrow().to_pandas()
    assert len(actions) == 3 * items
    assert set(actions["treatment"]) == set().union(*log["eligible"].map(tuple).unique())


@pytest.mark.integration
def test_frames_keep_their_contracts(frames):
    for name, contract in contracts("open_bandit").items():
        found = {f.name: f.dataType.simpleString() for f in frames[name].schema.fields}
        assert found == {column.name: column.type for column in contract.columns}
    assert frames["interactions"].count() == 0
    assert frames["customers"].count() == 20_000


@pytest.mark.integration
def test_as_of_is_a_cutoff_and_nothing_else(spark):
    early = open_bandit.read(spark, "men", dt.date(2019, 11, 27))["decisions"]
    log = open_bandit.read(spark, "men", AFTER)["decisions"].toArrow().to_pandas()
    early = early.toArrow().to_pandas().sort_values("decision_id", ignore_index=True)
    known = log[log["decided_at"] < pd.Timestamp("2019-11-27", tz="UTC")]
    known = known.sort_values("decision_id", ignore_index=True)
    pd.testing.assert_frame_equal(early, known)
    assert 0 < len(early) < 20_000
    with pytest.raises(DataError, match="'as_of' is 2019-11-24: .* begin on 2019-11-24"):
        open_bandit.read(spark, "men", dt.date(2019, 11, 24))


@pytest.mark.integration
def test_both_policies_show_the_same_items(campaign):
    # Actions are read from one log alone: the other names the same values by other hashes.
    first, second = (
        pd.read_csv(open_bandit._file("dataset", "obd", policy, campaign, "item_context.csv"))
        for policy in open_bandit.POLICIES
    )
    plain = ["item_id", "item_feature_0"]
    pd.testing.assert_frame_equal(first[plain], second[plain])
    assert first["item_id"].tolist() == list(range(ITEMS[campaign]))
    for name in open_bandit.ITEM_FEATURES[1:]:
        groups = [frame[name].factorize()[0] for frame in (first, second)]
        np.testing.assert_array_equal(*groups)


@pytest.mark.integration
def test_both_policies_hash_users_alike(campaign):
    logs = [open_bandit._log(policy, campaign) for policy in open_bandit.POLICIES]
    for name in open_bandit.USER_FEATURES:
        shares = [log[name].value_counts(normalize=True) for log in logs]
        assert shares[0].sub(shares[1], fill_value=0.0).abs().max() < 0.03


@pytest.mark.integration
def test_the_distribution_reproduces_the_published_anchor():
    # decisioning.md, cell "men r->b": IPW of bts from the random log.
    log = open_bandit._log("random", "men")
    distribution = open_bandit.bts_distribution("men")
    assert distribution.shape == (34, 3)
    np.testing.assert_allclose(distribution.sum(axis=0), 1.0)
    weight = distribution[log["action_id"].astype(int), log["position"] - 1] / log["propensity"]
    assert (weight * log["click"]).mean() == pytest.approx(0.004533560000, abs=5e-13)


@pytest.mark.integration
def test_the_wheels_code_is_never_imported():
    open_bandit._log("bts", "men")
    assert "obp" not in sys.modules


@pytest.mark.integration
def test_an_unknown_campaign_is_refused():
    with pytest.raises(DataError, match="'campaign' is 'kids'.*all, men, women"):
        open_bandit.bts_distribution("kids")


@pytest.mark.integration
def test_missing_logs_say_how_to_get_them(monkeypatch, tmp_path):
    meta = tmp_path / "obp-0.4.1.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: obp\nVersion: 0.4.1\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    importlib.invalidate_caches()
    with pytest.raises(DataError, match=r"obp 0.4.1 is installed without policy/conf/prior"):
        open_bandit.bts_distribution("men")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "empty")])
    importlib.invalidate_caches()
    with pytest.raises(DataError, match=r"not installed: .*dependency group 'datasets'"):
        open_bandit.bts_distribution("men")
