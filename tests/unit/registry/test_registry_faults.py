"""Each call of the registry to Unity Catalog, and each thing that can go wrong with it."""

from __future__ import annotations

import datetime as dt

import pytest
from workspace.faults import DROPPED, LOST, SLOW, Fault
from workspace.mlflow_calls import OF_THE_REGISTRY

from nextbest import registry
from nextbest.errors import PlatformError
from nextbest.platforms.databricks.aliases import UnityCatalogAliases
from nextbest.registry.asking import asking

# On one worker: each registry is made once.
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("registry_faults")]

MODEL = "prod.nba.model"
DAY = dt.date(2026, 3, 1)
JUDGED = {"against": None, "as_of": DAY, "holdout": "h"}
FINE = {"text": "fine", "passed": True}
NAME = "/Users/me@example.com/faults"


def aliases():
    from mlflow import MlflowClient

    return UnityCatalogAliases(MlflowClient())


def experiment():
    """As MLflow asks for the one that was set before, by its id."""
    import mlflow

    with asking(f"experiment of {MODEL}", "CAN READ on the experiment"):
        return mlflow.get_experiment(mlflow.get_experiment_by_name(NAME).experiment_id)


CALLS = {
    "alias": (lambda: registry.version_at(MODEL, "candidate"), "EXECUTE on prod.nba.model"),
    "aliases": (lambda: aliases().of(MODEL), "EXECUTE on prod.nba.model"),
    "search": (lambda: registry.version_trained_on(MODEL, "k"), "EXECUTE on prod.nba.model"),
    "version": (lambda: registry.holdout_share(MODEL, "1"), "EXECUTE on prod.nba.model"),
    "name": (lambda: registry.name_candidate(MODEL, "1"), "owner of prod.nba.model"),
    "unname": (lambda: aliases().move(MODEL, "gone", None), "owner of prod.nba.model"),
    "verdict": (lambda: registry.record_verdict(MODEL, "1", FINE, **JUDGED),
                "CAN EDIT on the experiment"),
    "experiment": (lambda: experiment().name, "CAN READ on the experiment"),
}  # fmt: skip
PASSING = (429, 500, 502, 503, 504, DROPPED, LOST, SLOW)
LASTING = {401: "renew the token", 403: "needs .*{right}", 404: "needs .*{right}",
           409: "something else is changing it", 500: "run this again", 502: "run this again",
           504: "run this again"}  # fmt: skip


@pytest.fixture(scope="module")
def space(workspace_mlflow):
    """A registered version in a workspace that nobody waits for."""
    import mlflow

    mlflow.set_experiment(NAME)
    with mlflow.start_run() as run:
        pass
    version = {
        "name": MODEL, "version": "1", "status": "READY", "run_id": run.info.run_id,
        "tags": [{"key": "training_key", "value": "k"}, {"key": "holdout_share", "value": "0.4"}],
    }  # fmt: skip
    workspace_mlflow.kept["models"][MODEL] = {"aliases": {"candidate": 1}}
    workspace_mlflow.kept["versions"][MODEL] = {1: version}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("databricks.sdk.clock.RealClock.sleep", lambda self, seconds: None)
        patch.setattr("mlflow.utils.rest_utils._time_sleep", lambda seconds: None)
        yield workspace_mlflow


def left(space):
    return repr([space.kept["models"], space.kept["versions"]])


def test_each_has_a_way_to_come_about():
    assert CALLS.keys() == OF_THE_REGISTRY.keys()


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize("call", CALLS)
def test_what_passes_is_waited_for(space, call, kind):
    place, (ask, _) = OF_THE_REGISTRY[call], CALLS[call]
    expected = ask()
    kept = left(space)
    space.faults[:] = [Fault(kind, *place, seconds=0.05)]
    assert ask() == expected
    assert not space.faults[0].times
    assert left(space) == kept


@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("call", CALLS)
def test_what_lasts_is_told_with_what_it_takes(space, call, kind):
    place, (ask, right) = OF_THE_REGISTRY[call], CALLS[call]
    ask()
    kept = left(space)
    space.faults[:] = [Fault(kind, *place, times=100)]
    if (call, kind) == ("alias", 404):  # that is how an absent alias is told
        assert ask() is None
    else:
        with pytest.raises(PlatformError, match=LASTING[kind].format(right=right)) as refused:
            ask()
        assert "prod.nba.model" in str(refused.value)
    space.faults.clear()
    assert left(space) == kept
    ask()
