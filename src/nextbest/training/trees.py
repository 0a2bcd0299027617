"""LightGBM on top of the pooled logistic model: what is not linear, with few positives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightgbm
import numpy as np

MOST_TREES = 60
PATIENCE = 6
# On a busy machine two threads wait for each other: seen up to ten times slower, never twice as
# fast. Spark scores partitions side by side anyway.
THREADS = 1


def parameters(seed: int) -> dict[str, Any]:
    """Small trees and leaves of at least 10 expected positives: rates are 0.3 to 4 %."""
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": 0.1,
        "num_leaves": 8,
        "max_depth": 5,
        "min_child_samples": 200,
        "min_sum_hessian_in_leaf": 10.0,
        "lambda_l2": 10.0,
        "max_bin": 63,
        "min_data_per_group": 200,
        "cat_smooth": 50.0,
        "cat_l2": 20.0,
        "boost_from_average": False,  # the linear logit is where boosting starts
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": THREADS,
        "seed": seed,
        "verbosity": -1,
    }


def dataset(
    rows: np.ndarray,
    outcome: np.ndarray,
    logit: np.ndarray,
    categorical: Sequence[int],
    reference: lightgbm.Dataset | None = None,
) -> lightgbm.Dataset:
    """Rows float32 [n, d] with 0/1 outcomes [n], boosted from the given logits [n].

    `reference` is the data set whose bins to use, for one that is only looked at.
    """
    return lightgbm.Dataset(
        rows,
        label=outcome,
        init_score=logit,
        reference=reference,
        categorical_feature=list(categorical),
        params={
            "max_bin": 63,
            "bin_construct_sample_cnt": 50_000,
            "force_row_wise": True,
            "verbosity": -1,
        },
        free_raw_data=False,
    )


def choose(train: lightgbm.Dataset, later: lightgbm.Dataset, seed: int) -> tuple[np.ndarray, int]:
    """How many trees lower the log loss of a later slice, and their raw score on it.

    0 trees when none does: early stopping can't answer that, and in a world that is linear in
    logits it is the right answer.
    """
    losses: dict[str, dict[str, list[float]]] = {}
    booster = lightgbm.train(
        parameters(seed),
        train,
        num_boost_round=MOST_TREES,
        valid_sets=[later],
        valid_names=["later"],
        callbacks=[
            lightgbm.early_stopping(PATIENCE, verbose=False),
            lightgbm.record_evaluation(losses),
        ],
    )
    curve = losses["later"]["binary_logloss"]
    logit, outcome = later.get_init_score(), later.get_label()
    before = float((np.logaddexp(0.0, logit) - outcome * logit).mean())
    count = int(np.argmin(curve)) + 1 if min(curve) < before else 0
    if not count:
        return np.zeros(len(outcome)), 0
    return booster.predict(later.get_data(), raw_score=True, num_iteration=count), count


def grow(train: lightgbm.Dataset, count: int, seed: int) -> lightgbm.Booster:
    """Boost `count` trees."""
    return lightgbm.train(parameters(seed), train, num_boost_round=count)
