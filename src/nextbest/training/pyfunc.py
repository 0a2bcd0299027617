"""The MLflow flavour of a reward model; importing it loads mlflow, so do that late."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from nextbest.decisions.policy import Policy
from nextbest.training.reward_model import RewardModel


class RewardPyfunc(PythonModel):
    """Rows of features, action_id and channel in; p_<head> out. `policy` is there once loaded."""

    policy: Policy

    def __init__(self, model: RewardModel) -> None:
        self.model = model

    def load_context(self, context: PythonModelContext) -> None:
        """Read the policy that the version was released with."""
        config = Path(context.artifacts["policy"]).read_text(encoding="utf-8")
        self.policy = Policy(**json.loads(config))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """RewardModel.predict, in the form that MLflow calls."""
        return self.model.predict(model_input)
