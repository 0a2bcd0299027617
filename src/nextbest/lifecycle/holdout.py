"""The decisions that versions are judged on: frozen per day, about customers none learned from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from nextbest import registry
from nextbest.decisions.reasons import WIDER
from nextbest.decisions.treatments import SEPARATOR
from nextbest.errors import DataError
from nextbest.evaluation.release.contest import digest
from nextbest.lifecycle import frames
from nextbest.platforms import Platform
from nextbest.settings import Settings
from nextbest.training.splits import held_out
from nextbest.use_cases import UseCase

__all__ = ["Frozen", "digest", "freeze", "frozen_holdout", "held_out_rows"]


@dataclass(frozen=True, eq=False)
class Frozen:
    """Held-out decisions as they were when `as_of` was first judged on, and their digest then.

    `learned`: the other matured decisions, as they are now. `changed`: how the tables differ from
    the frozen rows by now, in words, or nothing.
    """

    rows: pd.DataFrame
    digest: str
    learned: pd.DataFrame
    changed: str


def held_out_rows(
    settings: Settings, platform: Platform, case: UseCase, versions: Sequence[str]
) -> pd.DataFrame:
    """Matured decisions about customers held out for all of these versions, by decision_id.

    The rows of `frozen_holdout`: the same for every version that is judged for this `as_of`.
    """
    return frozen_holdout(settings, platform, case, versions).rows


def frozen_holdout(
    settings: Settings, platform: Platform, case: UseCase, versions: Sequence[str]
) -> Frozen:
    """Freeze the holdout of `as_of` where nobody has yet, and read it back (ADR 18).

    Columns as `frames.learning_frame`. It is a Parquet file of the volume whose name carries the
    digest of its rows; a version that held out fewer customers than the first one judged gets
    their part of it. Raises DataError when there is no row.
    """
    share = min(registry.holdout_share(settings.model, version) for version in versions)
    live = frames.learning_frame(settings, platform, case)
    mine = held_out(live["customer_id"], share)
    # Drawn from a wider set than any policy would choose from: of no use to value one.
    wider = (live["reason_code"] == WIDER).to_numpy()
    now = _some(live[mine & ~wider].reset_index(drop=True), settings, share)
    folder = platform.volume / "holdouts"
    stem = f"{settings.dataset}{settings.as_of}"
    file = _first(folder, stem) or freeze(now, folder, stem)
    told, whole = file.stem.rsplit("-", 1)[-1], _read(file)
    if digest(whole) != told:
        raise DataError(
            f"{file}: its rows are not those that were frozen; delete it, and judge again all "
            f"versions that were judged for {settings.as_of}"
        )
    kept = held_out(whole["customer_id"], share)
    rows = _some(whole[kept].reset_index(drop=True), settings, share)
    return Frozen(rows, digest(rows), live[~mine], _difference(rows, now, file))


def freeze(rows: pd.DataFrame, folder: Path, stem: str) -> Path:
    """Write rows for good, whole or not at all; the file that counts for this stem."""
    file = folder / f"{stem}-{digest(rows)}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial")
    try:
        joined = rows.assign(eligible=rows["eligible"].map(SEPARATOR.join))
        joined.to_parquet(partial, index=False)
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    return _first(folder, stem) or file


def _some(rows: pd.DataFrame, settings: Settings, share: float) -> pd.DataFrame:
    if rows.empty:
        raise DataError(
            f"{settings.table('decisions')}: none of the matured decisions is about one of the "
            f"customers held out (holdout_share {share:g}); raise it and train anew"
        )
    return rows


def _first(folder: Path, stem: str) -> Path | None:
    """The frozen rows of a day; of two that were written at once, everybody takes the same."""
    return min(folder.glob(f"{stem}-*.parquet"), default=None)


def _read(file: Path) -> pd.DataFrame:
    rows = pd.read_parquet(file)
    # A few sets, many rows: each set becomes one tuple that its rows share.
    sets = {text: tuple(text.split(SEPARATOR)) for text in rows["eligible"].unique()}
    return rows.assign(eligible=rows["eligible"].map(sets))


def _difference(frozen: pd.DataFrame, now: pd.DataFrame, file: Path) -> str:
    if list(frozen.columns) != list(now.columns):
        other = sorted(set(frozen.columns) ^ set(now.columns))
        what = f"other columns ({', '.join(other)})" if other else "another order of columns"
    elif digest(frozen) != digest(now):
        rows = frozen.merge(now[["decision_id"]], on="decision_id")
        what = f"other rows ({len(now):,} decisions, {len(rows):,} of them frozen)"
    else:
        return ""
    return f"the tables hold {what} by now; judged as frozen in {file}, which can be deleted"
