"""What econml's learners ask for: the logged propensities as a model, and an outcome model."""

from __future__ import annotations

import numpy as np
from lightgbm import LGBMRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


class KnownPropensity(ClassifierMixin, BaseEstimator):
    """The true propensity of the logged treatment; W's last columns are its code and its chance.

    A doubly robust pseudo-outcome looks at no other treatment's propensity.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def fit(self, xw: np.ndarray, treatment: np.ndarray) -> KnownPropensity:
        """Nothing to learn."""
        self.classes_ = np.arange(self.count)
        return self

    def predict_proba(self, xw: np.ndarray) -> np.ndarray:
        """[n, K]; what is left over is spread evenly over the other treatments."""
        code, chance = xw[:, -2].astype(int), xw[:, -1]
        told = np.repeat((1 - chance)[:, None] / (self.count - 1), self.count, axis=1)
        told[np.arange(len(xw)), code] = chance
        return told

    def predict(self, xw: np.ndarray) -> np.ndarray:
        """The logged treatment [n]: econml asks for a score, which nobody reads."""
        return xw[:, -2].astype(int)


class OutcomeModel(RegressorMixin, BaseEstimator):
    """E[value | x, treatment] by LightGBM; the two columns after x (code, chance) are left out."""

    def __init__(self, features: int) -> None:
        self.features = features

    def fit(self, xwt: np.ndarray, value: np.ndarray) -> OutcomeModel:
        """Regress value [n] on x and the code of the treatment."""
        self.model_ = LGBMRegressor(n_estimators=100, num_leaves=15, verbosity=-1, n_jobs=1)
        rows = self._rows(xwt)
        self.model_.fit(rows, value, categorical_feature=[rows.shape[1] - 1])
        return self

    def predict(self, xwt: np.ndarray) -> np.ndarray:
        """Expected value [n]."""
        return self.model_.predict(self._rows(xwt))

    def _rows(self, xwt: np.ndarray) -> np.ndarray:
        flags = xwt[:, self.features + 2 :]
        code = np.where(flags.any(axis=1), flags.argmax(axis=1) + 1, 0)
        return np.column_stack([xwt[:, : self.features], code])
