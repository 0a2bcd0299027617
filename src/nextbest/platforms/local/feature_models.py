"""Models that carry their feature spec: logged with it, and scored from keys alone.

The folder is that of Databricks' feature engineering client (0.18.2): the spec and the model as
its flavor saved it, under `data/feature_store/` of a pyfunc model. Only the module that loads it
is another: ours reads features from the local online store.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import nextbest
from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms.local import feature_spec, feature_spec_file
from nextbest.platforms.local.feature_spec import FeatureSpec
from nextbest.platforms.local.signature import signature

if TYPE_CHECKING:
    from mlflow.types import Schema
    from pyspark.sql import DataFrame

    from nextbest.platforms import FeatureStore

_LOG = logging.getLogger(__name__)
PREDICTION = "prediction"
FOLDER, RAW_MODEL = "feature_store", "raw_model"
LOADER = "nextbest.platforms.local.feature_model_loader"


def log(
    model: Any,
    name: str,
    spec: FeatureSpec,
    labels: Mapping[str, str],
    *,
    flavor: ModuleType,
    pip_requirements: Sequence[str],
    output_schema: Schema | None,
    tags: Mapping[str, str] | None,
    save: Mapping[str, Any],
) -> str:
    """Log a model with its spec in the active MLflow run and register it; the version's number.

    `labels` are names and types, `save` goes to the flavor's save_model. Raises DataError without
    an active run, for a flavor without python_function, and for what `signature` refuses.
    """
    import mlflow
    from mlflow.models import Model, ModelSignature

    if mlflow.active_run() is None:
        raise DataError(f"{name}: no active MLflow run; log within mlflow.start_run()")
    told = signature(spec, labels, output_schema)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / FOLDER
        # What the model itself is given differs from what a request brings.
        raw = Model(signature=ModelSignature(outputs=told.outputs))
        options = {**save, "mlflow_model": raw, "pip_requirements": list(pip_requirements)}
        if flavor is mlflow.pyfunc:
            flavor.save_model(str(data / RAW_MODEL), python_model=model, **options)
        else:
            flavor.save_model(model, str(data / RAW_MODEL), **options)
        if "python_function" not in raw.flavors:
            raise DataError(f"{name}: {flavor.__name__} saves no python_function: it can't score")
        (data / feature_spec_file.NAME).write_text(feature_spec_file.to_yaml(spec), "utf-8")
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module=LOADER,
            data_path=str(data),
            signature=told,
            pip_requirements=list(pip_requirements),
            code_paths=[str(Path(nextbest.__file__).parent)],
        )
    # One call: a process that dies here leaves no version without its tags.
    return str(mlflow.register_model(logged.model_uri, name, tags=dict(tags or {})).version)


def load_spec(folder: Path) -> FeatureSpec:
    """The spec inside a model's folder; DataError when the model was logged without one."""
    file = folder / "data" / FOLDER / feature_spec_file.NAME
    if not file.is_file():
        raise DataError(
            f"{folder.name}: a model without a feature spec; log it by the feature store"
        )
    return feature_spec_file.from_yaml(file.read_text("utf-8"), f"{folder.name}/{file.name}")


def score_batch(
    store: FeatureStore,
    model_uri: str,
    frame: DataFrame,
    result_type: str,
    table_id: Callable[[str], str],
) -> DataFrame:
    """The frame with the inputs it lacked, looked up or computed, and `prediction`.

    A feature that the frame has already is taken from it. The result is computed when it is read.
    Raises DataError for a streaming frame, columns of the same name, a column `prediction`, and
    columns that the lookups need and the frame lacks.
    """
    import mlflow
    from pyspark.sql import functions as F

    _require_scorable(frame)
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri))
    spec = load_spec(folder)
    _require_columns(spec, frame.columns, model_uri)
    for table in spec.tables:
        if table_id(table.name) != table.id:
            _LOG.warning(
                "%s was deleted and made anew since %s was trained: its features may have "
                "another meaning",
                table.name,
                model_uri,
            )
    lookups, functions = feature_spec.questions(spec)
    # As with features, what the frame brings is not computed.
    wanted = [function for function in functions if function.output not in frame.columns]
    joined = store.training_set(frame, lookups, functions=wanted)
    predict = mlflow.pyfunc.spark_udf(
        frame.sparkSession,
        str(folder / "data" / FOLDER / RAW_MODEL),
        result_type=result_type,
        env_manager="local",
    )
    computed = [name for name in spec.inputs if name not in frame.columns]
    answer = predict(F.struct(*map(tables.column, spec.inputs)))
    return joined.withColumn(PREDICTION, answer).select(
        *map(tables.column, [*frame.columns, *computed, PREDICTION])
    )


def _require_scorable(frame: DataFrame) -> None:
    problems = []
    if frame.isStreaming:
        problems.append("it is a stream: score each batch of it in foreachBatch")
    twice = [name for name, count in Counter(frame.columns).items() if count > 1]
    problems += [f"column '{name}' is there twice" for name in twice]
    if PREDICTION in frame.columns:
        problems.append(f"it has a column '{PREDICTION}', which is what scoring adds: rename it")
    if problems:
        raise DataError(f"the frame can't be scored: {'; '.join(problems)}")


def _require_columns(spec: FeatureSpec, given: Sequence[str], model_uri: str) -> None:
    made = {column.name for column in spec.columns if column.source != feature_spec.SOURCE}
    wanted = [column.name for column in spec.sources]
    for column in spec.columns:
        wanted += [*column.keys, *([column.timestamp] if column.timestamp else [])]
    missing = [name for name in dict.fromkeys(wanted) if name not in made and name not in given]
    if missing:
        raise DataError(
            f"the frame lacks {', '.join(missing)}, which {model_uri} needs to look features up "
            "or as they are"
        )
