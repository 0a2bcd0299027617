"""Models that carry their feature spec: how they are logged and what is in their folder.

The folder is that of Databricks' feature engineering client (0.18.2): the spec and the model as
its flavor saved it, under `data/feature_store/` of a pyfunc model. Only the module that loads it
is another: ours reads features from the local online store.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import nextbest
from nextbest.errors import DataError
from nextbest.platforms import RAW_MODEL, NewModel
from nextbest.platforms.local import feature_spec_file
from nextbest.platforms.local.feature_spec import FeatureSpec
from nextbest.platforms.local.signature import signature

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo

DATA = Path(RAW_MODEL).parent
LOADER = "nextbest.platforms.local.feature_model_loader"


def log(new: NewModel, spec: FeatureSpec, labels: Mapping[str, str]) -> ModelInfo:
    """Log a model with its spec in the active MLflow run.

    `labels` are names and types. Raises DataError without an active run, for a flavor without
    python_function, and for what `signature` refuses.
    """
    import mlflow
    from mlflow.models import Model, ModelSignature

    if mlflow.active_run() is None:
        raise DataError(f"{new.name}: no active MLflow run; log within mlflow.start_run()")
    told = signature(spec, labels, new.output_schema)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / DATA.name
        kept = str(data / Path(RAW_MODEL).name)
        # What the model itself is given differs from what a request brings.
        raw = Model(signature=ModelSignature(outputs=told.outputs))
        requirements = list(new.pip_requirements)
        options = {**new.save, "mlflow_model": raw, "pip_requirements": requirements}
        if new.flavor is mlflow.pyfunc:
            new.flavor.save_model(kept, python_model=new.model, **options)
        else:
            new.flavor.save_model(new.model, kept, **options)
        if "python_function" not in raw.flavors:
            raise DataError(
                f"{new.name}: {new.flavor.__name__} saves no python_function: it can't score"
            )
        (data / feature_spec_file.NAME).write_text(feature_spec_file.to_yaml(spec), "utf-8")
        return mlflow.pyfunc.log_model(
            name="model",
            loader_module=LOADER,
            data_path=str(data),
            signature=told,
            pip_requirements=requirements,
            code_paths=[str(Path(nextbest.__file__).parent)],
        )


def load_spec(folder: Path) -> FeatureSpec:
    """The spec inside a model's folder; DataError when the model was logged without one."""
    file = folder / DATA / feature_spec_file.NAME
    if not file.is_file():
        raise DataError(
            f"{folder.name}: a model without a feature spec; log it by the feature store"
        )
    return feature_spec_file.from_yaml(file.read_text("utf-8"), f"{folder.name}/{file.name}")
