"""MLflow's database on sqlite: it comes into being whole or not at all, and holds no secrets."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def create_database(lakehouse: Path) -> None:
    """Make the lakehouse's MLflow database unless it is there.

    MLflow would create its tables one by one in place, and a process killed in between leaves a
    database that no later one can open. Here it is made aside and linked into place; of two that
    make it at once, one wins.
    """
    database = _database(lakehouse)
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


def keep_out(lakehouse: Path, redact: Callable[[str], str]) -> None:
    """From now on this process writes no text into the lakehouse's MLflow database but redacted.

    MLflow has no place to do so: parameters, tags and descriptions pass here, whoever logs them.
    """
    from sqlalchemy import Engine, event

    database = str(_database(lakehouse))

    def clean(values: Any) -> Any:
        if isinstance(values, str):
            return redact(values)
        if isinstance(values, list | tuple):
            return type(values)(clean(each) for each in values)
        if isinstance(values, dict):
            return {name: clean(each) for name, each in values.items()}
        return values

    def before(
        connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        return statement, clean(values) if connection.engine.url.database == database else values

    event.listen(Engine, "before_cursor_execute", before, retval=True)


def _database(lakehouse: Path) -> Path:
    return lakehouse / "mlflow" / "mlflow.db"
