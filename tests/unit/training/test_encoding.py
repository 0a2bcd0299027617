from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from nextbest.errors import DataError
from nextbest.training.encoding import CLIP, fit_encoder

pytestmark = pytest.mark.unit

FRAME = pd.DataFrame(
    {
        "number": [1.0, 2.0, 3.0, None],
        "flag": pd.Series([True, False, None, True], dtype=object),
        "price": [Decimal("1.5"), Decimal("2.5"), Decimal("0.5"), Decimal("1.5")],
        "text": ["b", "a", None, "b"],
        "constant": [7, 7, 7, 7],
    }
)


def test_kinds_levels_and_nulls():
    encoder = fit_encoder(FRAME, list(FRAME))
    assert encoder.names == ("number", "flag", "price", "constant", "text")
    matrix = encoder.matrix(FRAME)
    assert matrix.dtype == np.float32
    assert matrix[[0, 1, 3], 4].tolist() == [1, 0, 1]
    assert np.isnan(matrix[2, 4])
    assert np.isnan(matrix[3, 0])
    assert np.isnan(matrix[2, 1])
    assert matrix[:, 2].tolist() == [1.5, 2.5, 0.5, 1.5]


def test_design_is_standardised_clipped_and_finite():
    encoder = fit_encoder(FRAME, list(FRAME))
    design = encoder.design(encoder.matrix(FRAME))
    # ones, four numbers, gaps of number and flag, levels a and b
    assert design.shape == (4, 1 + 4 + 2 + 2)
    assert design[:, 0].tolist() == [1, 1, 1, 1]
    assert design[3, 1] == 0
    assert design[:, 5].tolist() == [0, 0, 0, 1]
    assert design[2, -2:].tolist() == [0, 0]
    assert abs(design[:3, 1].std() - 1) < 1e-6
    strange = FRAME.assign(number=[1e12, -np.inf, 2.0, 2.0], text=["new", "a", "b", None])
    design = encoder.design(encoder.matrix(strange))
    assert design[0, 1] == CLIP
    assert design[1, 1] == 0
    assert design[0, -2:].tolist() == [0, 0]
    assert np.isfinite(design).all()


def test_only_text_or_only_numbers():
    for name in ("text", "number"):
        encoder = fit_encoder(FRAME, [name])
        assert len(encoder.design(encoder.matrix(FRAME))) == 4


def test_what_cannot_be_a_feature_is_named():
    frame = FRAME.assign(nothing=None, when=pd.Timestamp("2026-01-01"))
    with pytest.raises(DataError) as refused:
        fit_encoder(frame, ["nothing", "when", "gone"])
    for words in ("'nothing' is null in every row", "'when' holds datetime64", "'gone' is missing"):
        assert words in str(refused.value)
