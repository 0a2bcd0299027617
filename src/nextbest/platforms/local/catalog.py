"""What local tables say of themselves: a page in the volume, and constraints in their Delta log."""

from __future__ import annotations

import hashlib
import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from nextbest.errors import DataError, PlatformError
from nextbest.platforms.local.delta import delta_dataset
from nextbest.platforms.texts import TableText
from nextbest.tables import OWN_CONSTRAINT, add_constraint, constraint_name

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2.5rem}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .8rem;border-bottom:1px solid #ddd}"
    "td:first-child{font-family:ui-monospace,monospace}h2{font-size:1.1rem;margin-bottom:0}"
)
_HEAD = ("column", "meaning", "window", "unit", "source")


class LocalCatalog:
    """The catalog port over a lakehouse folder."""

    def __init__(self, spark: SparkSession, lakehouse: Path, volume: Path) -> None:
        self._spark = spark
        self._lakehouse = lakehouse
        self._volume = volume

    def describe(self, page: str, texts: Sequence[TableText]) -> None:
        """Write `<page>.html` into the volume: one file that needs no other."""
        shown = "".join(_table(text) for text in texts)
        self._volume.joinpath(f"{page}.html").write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(page)}'
            f"</title><style>{_STYLE}</style><h1>{html.escape(page)}</h1>{shown}</html>\n",
            encoding="utf-8",
        )

    def constrain(self, table: str, rules: Mapping[str, str]) -> None:
        """Let the table keep these rules (SQL by name) itself, as Delta CHECK constraints.

        A rule that is there stays; one of ours that is no longer among `rules` goes, and then
        PlatformError asks for another run. Raises DataError when a row of the table breaks one.
        """
        from deltalake import DeltaTable

        folder = str(self._lakehouse.joinpath(*table.split(".")))
        wanted = {constraint_name(name, rule): rule for name, rule in rules.items()}
        properties = DeltaTable(folder).metadata().configuration
        names = [key.removeprefix("delta.constraints.") for key in properties]
        there = {name for name in names if name.startswith(OWN_CONSTRAINT)}
        for name in wanted.keys() - there:
            add_constraint(self._spark, table, name, wanted[name])
        if stale := sorted(there - wanted.keys()):
            for name in stale:  # the engine can't drop one, nor does it see that it is gone
                DeltaTable(folder).alter.drop_constraint(name)
            raise PlatformError(
                f"{table}: its contract has changed; {', '.join(stale)} were dropped, which takes"
                " effect in a new session: run this once more"
            )

    def open_delta(self, source: str) -> DataFrame:
        """The rows of a table or Delta folder, read by delta-rs and landed in the volume.

        The engine (0.7.2) takes a column of one value and NaN for a constant, by statistics that
        others write. Raises DataError when it can't be read.
        """
        folder = Path(source)
        if not folder.is_absolute():
            folder = self._lakehouse.joinpath(*source.split("."))
        rows = delta_dataset(folder).scanner()
        digest = hashlib.sha256(source.encode()).hexdigest()[:8]
        landed = self._volume / "opened" / f"{digest}.parquet"
        landed.parent.mkdir(exist_ok=True)
        draft = landed.with_suffix(f".{os.getpid()}")
        try:
            with pq.ParquetWriter(draft, rows.projected_schema, write_statistics=False) as writer:
                for batch in rows.to_batches():
                    writer.write_batch(batch)
            draft.replace(landed)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{source} can't be read whole: {error}; restore that file") from error
        finally:
            draft.unlink(missing_ok=True)
        return self._spark.read.parquet(str(landed))


def _table(text: TableText) -> str:
    rows = [(c.name, c.meaning, c.window, c.unit, c.source) for c in text.columns]
    used = [at for at in range(len(_HEAD)) if any(row[at] for row in rows)]
    head = "".join(f"<th>{_HEAD[at]}</th>" for at in used)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(row[at])}</td>" for at in used) + "</tr>"
        for row in rows
    )
    name, meaning = html.escape(text.name), html.escape(text.meaning)
    return f"<h2>{name}</h2><p>{meaning}</p><table><tr>{head}</tr>{body}</table>"
