"""A reward model as an MLflow model: what is logged of it, and how it is read back."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import nextbest
from nextbest.decisions.decide import Decider
from nextbest.errors import DataError, PlatformError
from nextbest.training.reward_model import RewardModel

if TYPE_CHECKING:
    from mlflow.types import Schema

    from nextbest.training.pyfunc import RewardPyfunc

# Codes of MLflow that say nothing of the model itself.
_NOT_THE_MODEL = ("PERMISSION_DENIED", "UNAUTHENTICATED", "REQUEST_LIMIT_EXCEEDED",
                  "TEMPORARILY_UNAVAILABLE", "CUSTOMER_UNAUTHORIZED")  # fmt: skip
REQUIREMENTS = ("mlflow", "cloudpickle", "lightgbm", "numpy", "pandas", "scipy")


@dataclass(frozen=True, eq=False)
class Packaged:
    """A decider as MLflow's python_function flavor takes it; `save` goes to its save_model.

    It predicts p_<head> (`outputs`) for rows of features, action_id and channel.
    """

    model: RewardPyfunc
    outputs: Schema
    requirements: tuple[str, ...]
    save: Mapping[str, Any]


@contextmanager
def packaged(decider: Decider, example: pd.DataFrame) -> Iterator[Packaged]:
    """A decider ready to be logged, as long as the context lasts; `example` has a few rows.

    What decides with the model travels inside, the policy also as the artifact policy.json;
    features, heads and policy version are metadata; the package's code goes along. Raises
    DataError for an example that is empty and a model that isn't ours.
    """
    from mlflow.models import infer_signature

    from nextbest.training.pyfunc import RewardPyfunc

    model = decider.model
    if not isinstance(model, RewardModel):
        raise DataError(f"a {type(model).__name__} is no RewardModel: it can't be logged")
    if example.empty:
        raise DataError("the input example has no row: the model can't be logged")
    inputs = example[[*model.features, "action_id", "channel"]]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "policy.json"
        config.write_text(
            json.dumps(dataclasses.asdict(decider.policy), indent=2), encoding="utf-8"
        )
        yield Packaged(
            model=RewardPyfunc(decider),
            outputs=infer_signature(inputs, model.predict(inputs)).outputs,
            requirements=tuple(f"{name}=={version(name)}" for name in REQUIREMENTS),
            save={
                "code_paths": [str(Path(nextbest.__file__).parent)],
                "artifacts": {"policy": str(config)},
                "input_example": inputs,
                "metadata": {
                    "features": list(model.features),
                    "heads": [head.name for head in model.heads],
                    "policy_version": decider.policy.version,
                },
            },
        )


@dataclass(frozen=True, eq=False)
class Loaded:
    """A decider read back, with columns and MLflow types of its signature, and its files' bytes.

    `size` is None where the model's file does not say.
    """

    decider: Decider
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    size: int | None


def load(uri: str) -> Decider:
    """The decider of `load_all`."""
    return load_all(uri).decider


def load_all(uri: str) -> Loaded:
    """Read a decider back from where MLflow keeps a Packaged, and what is said of it there.

    Its treatments are those of the training day: replace them by today's. Raises DataError when
    the model is no such or its files are gone, PlatformError when MLflow would not say.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    from nextbest.training.pyfunc import RewardPyfunc

    try:
        loaded = mlflow.pyfunc.load_model(uri)
    except (MlflowException, OSError) as error:
        if getattr(error, "error_code", None) in _NOT_THE_MODEL:
            raise PlatformError(
                f"{uri} could not be asked for ({error}); run this again"
            ) from error
        raise DataError(
            f"{uri} can't be loaded ({error}); train it anew by training_job"
        ) from error
    if "policy_version" not in (loaded.metadata.metadata or {}):
        raise DataError(f"{uri} is no reward model of nextbest; train one with training_job")
    python_model = loaded.unwrap_python_model()
    if not isinstance(python_model, RewardPyfunc):
        raise DataError(f"{uri} holds a {type(python_model).__name__}, not a reward model")
    signature = loaded.metadata.signature
    return Loaded(
        python_model.decider,
        _types(signature.inputs if signature else None),
        _types(signature.outputs if signature else None),
        loaded.metadata.model_size_bytes,
    )


def _types(schema: Schema | None) -> dict[str, str]:
    columns = schema.to_dict() if schema is not None else []
    return {each["name"]: each["type"] for each in columns if "name" in each}
