"""The MLflow flavour of a reward model; importing it loads mlflow, so do that late."""

from __future__ import annotations

from typing import Any

import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from nextbest.decisions.decide import Decider


class RewardPyfunc(PythonModel):
    """Rows of features, action_id and channel in; p_<head> out. `decider` holds the rest."""

    def __init__(self, decider: Decider) -> None:
        self.decider = decider

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """RewardModel.predict, in the form that MLflow calls."""
        return self.decider.model.predict(model_input)
