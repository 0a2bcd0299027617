"""Which Parquet files a Delta table consists of, from its log alone (protocol: reader 1 to 3)."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq

from nextbest.errors import DataError

# Features that change what a file's rows mean; we would read wrong rows without knowing them.
READ_AS_IS = {"timestampNtz", "variantType", "variantType-preview", "typeWidening", "v2Checkpoint"}


def delta_files(table: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Files of the newest version, sorted, and the names of its partition columns.

    Raises DataError when the log can't be read whole, or needs a reader that knows more.
    """
    log = table / "_delta_log"
    commits = sorted(log.glob("[0-9]*.json"))
    start, files, partitions = -1, {}, ()
    actions: list[dict] = []
    marker = log / "_last_checkpoint"
    if marker.is_file():
        told = json.loads(marker.read_text())
        start = int(told["version"])
        parts = sorted(log.glob(f"{start:020d}.checkpoint*.parquet"))
        if not parts or "v2Checkpoint" in told:
            raise DataError(f"{table}: the checkpoint of version {start} can't be read here")
        actions += [row for part in parts for row in pq.read_table(part).to_pylist()]
    commits = [commit for commit in commits if int(commit.stem) > start]
    if [int(commit.stem) for commit in commits] != list(range(start + 1, start + 1 + len(commits))):
        raise DataError(f"{table}: commits are missing in {log}; restore them")
    for commit in commits:
        actions += [json.loads(line) for line in commit.read_text().splitlines() if line]
    for action in actions:
        if add := action.get("add"):
            if add.get("deletionVector"):
                raise DataError(f"{table}: has deletion vectors; REORG TABLE … APPLY (PURGE) first")
            files[add["path"]] = table / unquote(add["path"])
        if remove := action.get("remove"):
            files.pop(remove["path"], None)
        if metadata := action.get("metaData"):
            partitions = tuple(metadata.get("partitionColumns") or ())
            if dict(metadata.get("configuration") or ()).get("delta.columnMapping.mode") not in (
                None,
                "none",
            ):
                raise DataError(f"{table}: has mapped column names; write it anew without them")
    if not actions:
        raise DataError(f"{table}: {log} holds no commit")
    return sorted(files.values()), partitions
