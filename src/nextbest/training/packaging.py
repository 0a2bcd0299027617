"""A reward model as an MLflow model: logged, registered, and read back."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pandas as pd

import nextbest
from nextbest.decisions.decide import Decider
from nextbest.errors import DataError
from nextbest.training.reward_model import RewardModel

REQUIREMENTS = ("mlflow", "cloudpickle", "lightgbm", "numpy", "pandas", "scipy")


def register(
    decider: Decider, model_name: str, *, example: pd.DataFrame, tags: Mapping[str, str]
) -> str:
    """Log a decider in the active MLflow run, register it, return the version's number.

    The MLflow model predicts p_<head> for rows of features, action_id and channel; `example` has
    a few such rows, and the signature (inputs and outputs) comes from them. What decides with it
    travels inside, the policy also as the artifact policy.json; features, heads and policy
    version are metadata; the package's code goes along. `model_name` is catalog.schema.model,
    `tags` go on the version. Raises DataError without an active run and for an example that is
    empty or of a model that isn't ours.
    """
    import mlflow
    from mlflow.models import infer_signature

    from nextbest.training.pyfunc import RewardPyfunc

    if mlflow.active_run() is None:
        raise DataError(f"{model_name}: no active MLflow run; log within mlflow.start_run()")
    if example.empty:
        raise DataError(f"{model_name}: the input example has no row")
    model = decider.model
    if not isinstance(model, RewardModel):
        raise DataError(f"{model_name}: a {type(model).__name__} is no RewardModel")
    inputs = example[[*model.features, "action_id", "channel"]]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "policy.json"
        config.write_text(
            json.dumps(dataclasses.asdict(decider.policy), indent=2), encoding="utf-8"
        )
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=RewardPyfunc(decider),
            artifacts={"policy": str(config)},
            signature=infer_signature(inputs, model.predict(inputs)),
            input_example=inputs,
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            code_paths=[str(Path(nextbest.__file__).parent)],
            metadata={
                "features": list(model.features),
                "heads": [head.name for head in model.heads],
                "policy_version": decider.policy.version,
            },
        )
    # One call: a process that dies here leaves no version without its tags.
    return str(mlflow.register_model(logged.model_uri, model_name, tags=dict(tags)).version)


def load(uri: str) -> Decider:
    """Read a decider back from `models:/<name>/<version>` or `models:/<name>@<alias>`.

    Its treatments are those of the training day: replace them by today's. Raises DataError when
    the model isn't one that `register` wrote.
    """
    import mlflow

    from nextbest.training.pyfunc import RewardPyfunc

    loaded = mlflow.pyfunc.load_model(uri)
    if "policy_version" not in (loaded.metadata.metadata or {}):
        raise DataError(f"{uri} is no reward model of nextbest; train one with training_job")
    python_model = loaded.unwrap_python_model()
    if not isinstance(python_model, RewardPyfunc):
        raise DataError(f"{uri} holds a {type(python_model).__name__}, not a reward model")
    return python_model.decider
