"""What benchmarks/drift.py compares: 16 numbers and 4 texts, some drifted in every way there is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

ROWS = 1_000_000
COLUMNS = [*(f"number_{at:02d}" for at in range(16)), *(f"text_{at}" for at in range(4))]
SCHEMA = pa.schema(
    [(name, pa.string() if name.startswith("text") else pa.float64()) for name in COLUMNS]
)
# Mean, spread, shape, share of zeros, shift far from zero; shares, and a new category.
DRIFTED = {"number_00", "number_01", "number_04", "number_08", "number_12", "text_0", "text_2"}


def make(seed: int, *, drifted: bool = False, rows: int = ROWS) -> pd.DataFrame:
    """A frame of these columns; quiet ones have one distribution for every seed."""
    random = np.random.default_rng(seed)
    moved = float(drifted)
    columns: dict[str, np.ndarray] = {}
    for at in range(4):
        mean, spread = moved * (at == 0), 1 + moved * (at == 1)
        columns[f"number_{at:02d}"] = random.normal(mean, spread, rows)
    for at in range(4, 8):
        shape = 0.5 if drifted and at == 4 else 2.0
        columns[f"number_{at:02d}"] = random.gamma(shape, 2.0 / shape, rows)
    for at in range(8, 12):
        zeros = random.random(rows) < (0.7 if drifted and at == 8 else 0.3)
        columns[f"number_{at:02d}"] = np.where(zeros, 0.0, random.lognormal(size=rows))
    for at in range(12, 14):
        columns[f"number_{at:02d}"] = 1e6 + random.normal(moved * (at == 12), 1, rows)
    for at in range(14, 16):
        columns[f"number_{at:02d}"] = random.poisson(3, rows).astype(float)
    for at in range(4):
        levels = np.array([f"level {number}" for number in range(5 * (at + 1))], dtype=object)
        shares = np.linspace(2, 1, len(levels))
        if drifted and at == 0:
            shares = shares[::-1] ** 3
        drawn = levels[random.choice(len(levels), rows, p=shares / shares.sum())]
        if drifted and at == 2:
            drawn[random.random(rows) < 0.25] = "new"
        columns[f"text_{at}"] = drawn
    return pd.DataFrame(columns)[COLUMNS]
