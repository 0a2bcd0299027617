"""Where everything local lives: one folder, the lakehouse, and the variables that lead to it."""

from __future__ import annotations

import os
from pathlib import Path

from nextbest.errors import PlatformError

LAKEHOUSE = "NEXTBEST_LAKEHOUSE"


def environment(lakehouse: Path) -> dict[str, str]:
    """Environment variables under which a notebook finds this lakehouse and its MLflow."""
    mlflow = f"sqlite:///{lakehouse / 'mlflow' / 'mlflow.db'}"
    return {
        LAKEHOUSE: str(lakehouse),
        "MLFLOW_TRACKING_URI": mlflow,
        "MLFLOW_REGISTRY_URI": mlflow.replace("sqlite:", "uc-local:", 1),
        "_MLFLOW_SERVER_ARTIFACT_ROOT": (lakehouse / "mlflow" / "artifacts").as_uri(),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }


def chosen_lakehouse(flag: str | None, root: Path) -> Path:
    """The lakehouse of a command: its --lakehouse, else the environment's, else the bundle's own.

    Absolute; it need not exist.
    """
    return Path(flag or os.environ.get(LAKEHOUSE) or root / ".lakehouse").absolute()


def lakehouse() -> Path:
    """The lakehouse folder that the runner named; never guessed."""
    folder = os.environ.get(LAKEHOUSE)
    if not folder:
        raise PlatformError(
            f"platform 'local' needs {LAKEHOUSE}: run through `dbb run JOB --local`, "
            f"or set {LAKEHOUSE} to a folder"
        )
    return Path(folder)
