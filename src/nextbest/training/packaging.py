"""A reward model as an MLflow model: logged, registered, and read back."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd

import nextbest
from nextbest.decisions.policy import Policy
from nextbest.errors import DataError
from nextbest.training.reward_model import RewardModel

REQUIREMENTS = ("mlflow", "cloudpickle", "lightgbm", "numpy", "pandas", "scipy")


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """What a model version holds: the model and the policy that it was released with."""

    model: RewardModel
    policy: Policy


def log_model(
    model: RewardModel,
    policy: Policy,
    example: pd.DataFrame,
    model_name: str,
    tags: Mapping[str, str],
) -> str:
    """Log the model in the active MLflow run, register it, return the version's number.

    `example` has a few rows with the features, action_id and channel; the signature (inputs and
    outputs) comes from it. `model_name` is catalog.schema.model; `tags` go on the version. The
    policy is the artifact policy.json, features and heads are metadata, the package's code goes
    along. Raises DataError without an active run or without rows in the example.
    """
    import mlflow
    from mlflow.models import infer_signature

    from nextbest.training.pyfunc import RewardPyfunc

    if mlflow.active_run() is None:
        raise DataError(f"{model_name}: no active MLflow run; log within mlflow.start_run()")
    if example.empty:
        raise DataError(f"{model_name}: the input example has no row")
    inputs = example[[*model.features, "action_id", "channel"]]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "policy.json"
        config.write_text(json.dumps(dataclasses.asdict(policy), indent=2), encoding="utf-8")
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=RewardPyfunc(model),
            artifacts={"policy": str(config)},
            signature=infer_signature(inputs, model.predict(inputs)),
            input_example=inputs,
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            code_paths=[str(Path(nextbest.__file__).parent)],
            metadata={
                "features": list(model.features),
                "heads": [head.name for head in model.heads],
            },
            registered_model_name=model_name,
        )
    number = str(logged.registered_model_version)
    client = mlflow.MlflowClient()
    for key, value in tags.items():
        client.set_model_version_tag(model_name, number, key, value)
    return number


def load(uri: str) -> LoadedModel:
    """Read a model back from `models:/<name>/<version>` or `models:/<name>@<alias>`.

    Raises DataError when it isn't a reward model of this package.
    """
    import mlflow

    from nextbest.training.pyfunc import RewardPyfunc

    loaded = mlflow.pyfunc.load_model(uri)
    if loaded.metadata.metadata is None or "heads" not in loaded.metadata.metadata:
        raise DataError(f"{uri} is no reward model of nextbest; train one with training_job")
    python_model = loaded.unwrap_python_model()
    if not isinstance(python_model, RewardPyfunc):
        raise DataError(f"{uri} holds a {type(python_model).__name__}, not a reward model")
    return LoadedModel(python_model.model, python_model.policy)
