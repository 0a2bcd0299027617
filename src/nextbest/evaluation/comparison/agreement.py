"""Where two versions decide differently: how often, for whom, what instead of what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEAST = 30  # decisions of a segment that is worth naming


@dataclass(frozen=True)
class Agreement:
    """Two versions' preferred treatments on n decisions.

    share: of decisions where they are the same; kappa: the same beyond chance (Cohen 1960), nan
    when both always prefer one and the same; apart: mean total variation distance of their
    distributions: the least share of decisions that drawing would make different.
    """

    n: int
    share: float
    kappa: float
    apart: float


def agreement(first: object, second: object, apart: object) -> Agreement:
    """Agreement of preferred treatments (n,) with the distances of the distributions (n,)."""
    one, other = np.asarray(first, dtype=object), np.asarray(second, dtype=object)
    codes, names = pd.factorize(np.concatenate([one, other]))
    left, right = codes[: len(one)], codes[len(one) :]
    share = float(np.mean(left == right))
    chances = [np.bincount(side, minlength=len(names)) / len(one) for side in (left, right)]
    chance = float(chances[0] @ chances[1])
    kappa = (share - chance) / (1 - chance) if chance < 1 else float("nan")
    return Agreement(len(one), share, kappa, float(np.mean(apart)))


def instead_of(first: object, second: object, most: int = 10) -> pd.DataFrame:
    """What the second version prefers instead of what: the most frequent exchanges.

    Columns: first, second, decisions, share.
    """
    pairs = pd.DataFrame({"first": np.asarray(first), "second": np.asarray(second)})
    moved = pairs[pairs["first"] != pairs["second"]]
    counts = moved.groupby(["first", "second"]).size().rename("decisions").reset_index()
    counts = counts.sort_values(["decisions", "first", "second"], ascending=[False, True, True])
    counts["share"] = counts["decisions"] / max(len(pairs), 1)
    return counts.head(most).reset_index(drop=True)


def by_segment(
    apart: object, differ: object, segments: pd.DataFrame, most: int = 12
) -> pd.DataFrame:
    """Segments by how far the versions are apart there; `segments` has a column per attribute.

    Columns: attribute, segment, decisions, disagreement (share of other preferences), apart (mean
    distance); those of fewer than 30 decisions are left out.
    """
    apart, differ = np.asarray(apart, dtype=float), np.asarray(differ, dtype=float)
    found = []
    for name in segments.columns:
        told = pd.DataFrame({"segment": segments[name].astype("string").fillna("(none)").to_numpy(),
                             "disagreement": differ, "apart": apart})  # fmt: skip
        means = told.groupby("segment").agg(
            decisions=("apart", "size"),
            disagreement=("disagreement", "mean"),
            apart=("apart", "mean"),
        )
        found.append(means[means["decisions"] >= LEAST].reset_index().assign(attribute=name))
    columns = ["attribute", "segment", "decisions", "disagreement", "apart"]
    if not found:
        return pd.DataFrame(columns=columns)
    whole = pd.concat(found, ignore_index=True)[columns]
    order = whole.sort_values(["apart", "attribute", "segment"], ascending=[False, True, True])
    return order.head(most).reset_index(drop=True)
