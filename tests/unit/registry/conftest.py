"""A real registry on sqlite with versions of one tiny model, and the ports over it."""

from __future__ import annotations

import uuid

import pytest

from nextbest.platforms.local.releasing import in_a_folder

SCHEMA = "juan_dev.ml_nba_demo_dev"


@pytest.fixture(scope="session")
def home(tmp_path_factory, local_mlflow):
    """A lakehouse folder."""
    from nextbest.platforms.local.tracking import create_database

    folder = tmp_path_factory.mktemp("releases")
    create_database(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(home, local_mlflow):
    """Log a tiny model: its URI."""
    import mlflow
    from mlflow.models import infer_signature
    from sklearn.dummy import DummyClassifier

    def log():
        local_mlflow(home)
        with mlflow.start_run():
            fitted = DummyClassifier().fit([[0], [1]], [0, 1])
            return mlflow.sklearn.log_model(
                fitted, name="m", signature=infer_signature([[0.0]], [0]),
                pip_requirements=["scikit-learn"],
            ).model_uri  # fmt: skip

    return log


@pytest.fixture(scope="session")
def versions(tiny):
    """A registered model with four versions."""
    import mlflow

    uri, name = tiny(), f"{SCHEMA}.{uuid.uuid4().hex}"
    for _ in range(4):
        mlflow.register_model(uri, name, tags={"holdout_share": "0.4"})
    return name


@pytest.fixture
def model(versions, releases, home, local_mlflow):
    """A model with four versions and no alias."""
    local_mlflow(home)
    for alias in dict(releases.aliases.of(versions)):
        releases.aliases.move(versions, alias, None)
    return versions


@pytest.fixture
def releases(home):
    """The ports of the lakehouse, with a ledger of the test's own."""
    return in_a_folder(home, f"{SCHEMA}.promotions_{uuid.uuid4().hex}")
