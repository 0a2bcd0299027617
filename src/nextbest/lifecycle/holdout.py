"""The decisions that versions are judged on: about customers none of them ever learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd

from nextbest import registry
from nextbest.decisions.reasons import WIDER
from nextbest.errors import DataError
from nextbest.lifecycle import frames
from nextbest.platforms import Platform
from nextbest.settings import Settings
from nextbest.training.splits import held_out
from nextbest.use_cases import UseCase


def held_out_rows(
    settings: Settings, platform: Platform, case: UseCase, versions: Sequence[str]
) -> pd.DataFrame:
    """Matured decisions about customers held out for all of these versions, by decision_id.

    Columns as `frames.learning_frame`. Raises DataError when there are none.
    """
    share = min(registry.holdout_share(settings.model, version) for version in versions)
    return rows_held_out(settings, platform, case, share)


def rows_held_out(
    settings: Settings, platform: Platform, case: UseCase, share: float
) -> pd.DataFrame:
    """Matured decisions about the customers whom a share of all held out, by decision_id.

    Columns as `frames.learning_frame`. Raises DataError when there are none.
    """
    rows = frames.learning_frame(settings, platform, case)
    # Drawn from a wider set than any policy would choose from: of no use to value one.
    kept = held_out(rows["customer_id"], share) & (rows["reason_code"] != WIDER)
    rows = rows[kept].reset_index(drop=True)
    if rows.empty:
        raise DataError(
            f"{settings.table('decisions')}: none of the matured decisions is about one of the "
            f"customers held out (holdout_share {share:g}); raise it and train anew"
        )
    return rows


def digest(rows: pd.DataFrame) -> str:
    """What tells one holdout from another: a digest of all its rows, in their order."""
    hashed = pd.util.hash_pandas_object(rows, index=False)
    return hashlib.sha256(hashed.to_numpy().tobytes()).hexdigest()[:16]
