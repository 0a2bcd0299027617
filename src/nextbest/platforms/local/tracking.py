"""MLflow's database on sqlite, which comes into being whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def create_database(lakehouse: Path) -> None:
    """Make the lakehouse's MLflow database unless it is there.

    MLflow would create its tables one by one in place, and a process killed in between leaves a
    database that no later one can open. Here it is made aside and linked into place; of two that
    make it at once, one wins.
    """
    database = lakehouse / "mlflow" / "mlflow.db"
    if database.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database.parent.mkdir(parents=True, exist_ok=True)
    draft = database.with_name(f"draft-{os.getpid()}.db")
    store = SqlAlchemyStore(f"sqlite:///{draft}", (database.parent / "artifacts").as_uri())
    store.engine.dispose()
    with contextlib.suppress(FileExistsError):
        os.link(draft, database)
    draft.unlink()
