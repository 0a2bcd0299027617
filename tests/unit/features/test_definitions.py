import pytest

from nextbest.features.definitions import DAYS_KEPT, WINDOWS

pytestmark = pytest.mark.unit


def test_every_feature_is_told_in_words():
    names = [window.name for window in WINDOWS]
    assert len(set(names)) == len(names)
    for window in WINDOWS:
        assert str(window.days) in window.meaning
        assert window.unit in ("events", "money", "days")
        assert window.source in ("interactions", "decisions", "outcomes")
        assert 0 < window.days <= DAYS_KEPT
        ending = "" if window.statistic == "days_since" else f"_{window.days}d"
        assert window.name.endswith(ending)
