"""Aliases of the local registry, in the tables of MLflow's own sqlite database.

Directly and not by MLflow's client: that takes two seconds to import, and a rollback should not.
`tests/contract/test_aliases.py` holds both to the same answers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

from nextbest.errors import PlatformError

PATIENCE_SECONDS = 30  # with another process that writes


class LocalAliases:
    """The aliases port over a lakehouse folder."""

    def __init__(self, lakehouse: Path) -> None:
        self._database = lakehouse / "mlflow" / "mlflow.db"

    def of(self, model: str) -> Mapping[str, str]:
        """The versions of a model by alias."""
        with self._open() as db:
            known = db.execute("SELECT 1 FROM registered_models WHERE name = ?", [model])
            if known.fetchone() is None:
                names = [name for (name,) in db.execute("SELECT name FROM registered_models")]
                there = f"there are {', '.join(sorted(names))}" if names else "there is none yet"
                raise PlatformError(
                    f"no model {model} in {self._database}: {there}; training_job registers it"
                )
            asked = "SELECT alias, version FROM registered_model_aliases WHERE name = ?"
            return {alias: str(version) for alias, version in db.execute(asked, [model])}

    def move(self, model: str, alias: str, version: str | None) -> None:
        """Point an alias at a version, or take it away."""
        with self._open() as db, db:
            db.execute("BEGIN IMMEDIATE")
            key = [model, alias]
            if version is None:
                db.execute("DELETE FROM registered_model_aliases WHERE name = ? AND alias = ?", key)
                return
            asked = "SELECT 1 FROM model_versions WHERE name = ? AND version = ?"
            if db.execute(asked, [model, int(version)]).fetchone() is None:
                raise PlatformError(f"{model} has no version {version}: {alias} can't name it")
            put = "UPDATE registered_model_aliases SET version = ? WHERE name = ? AND alias = ?"
            if not db.execute(put, [int(version), *key]).rowcount:
                add = "INSERT INTO registered_model_aliases (version, name, alias) VALUES (?, ?, ?)"
                db.execute(add, [int(version), *key])

    def missing(self, model: str, version: str) -> str | None:
        """What keeps a version from being used, if anything does."""
        with self._open() as db:
            asked = (
                "SELECT v.status, coalesce(m.artifact_location, v.storage_location, v.source) "
                "FROM model_versions v LEFT JOIN logged_models m "
                "ON v.source = 'models:/' || m.model_id "
                "WHERE v.name = ? AND v.version = ?"
            )
            number = int(version) if version.isdigit() else -1
            row = db.execute(asked, [model, number]).fetchone()
            there = [str(v) for (v,) in db.execute(
                "SELECT version FROM model_versions WHERE name = ? ORDER BY version", [model])
            ]  # fmt: skip
        if row is None:
            told = f"there are {', '.join(there)}" if there else "the model has none"
            return f"does not exist ({told})"
        status, place = row
        if status not in ("READY", None):
            return f"is {status}: its files never arrived; train it anew"
        folder = Path(unquote(urlparse(place).path))
        if not (folder / "MLmodel").is_file():
            return f"has lost its files (no {folder}/MLmodel): restore them, or train it anew"
        return None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self._database.is_file():
            raise PlatformError(
                f"no registry in {self._database}: `dbb run training_job --local` makes one, or "
                "name another folder with --lakehouse"
            )
        try:
            with closing(sqlite3.connect(
                self._database, timeout=PATIENCE_SECONDS, isolation_level=None
            )) as db:  # fmt: skip
                yield db
        except sqlite3.Error as error:
            raise PlatformError(
                f"registry {self._database}: {error}; when it says locked, run this again, else "
                "restore the file from a copy"
            ) from error
