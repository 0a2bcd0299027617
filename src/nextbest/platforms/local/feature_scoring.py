"""Scoring a batch from keys alone, by a model that carries its feature spec."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nextbest import tables
from nextbest.errors import DataError
from nextbest.platforms import RAW_MODEL, TrainingSpec
from nextbest.platforms.local import feature_spec
from nextbest.platforms.local.feature_models import load_spec
from nextbest.platforms.local.feature_spec import FeatureSpec

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from nextbest.platforms import FeatureStore

_LOG = logging.getLogger(__name__)
PREDICTION = "prediction"


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
    from mlflow.artifacts import download_artifacts
    from pyspark.sql import functions as F

    _require_scorable(frame)
    folder = Path(download_artifacts(artifact_uri=model_uri))
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
    joined = store.training_set(TrainingSpec(frame, lookups, wanted))
    predict = _predictor(str(folder / RAW_MODEL), result_type)
    computed = [name for name in spec.inputs if name not in frame.columns]
    answer = predict(F.struct(*map(tables.column, spec.inputs)))
    return joined.withColumn(PREDICTION, answer).select(
        *map(tables.column, [*frame.columns, *computed, PREDICTION])
    )


def _predictor(folder: str, result_type: str) -> Callable[[Column], Column]:
    """The model as a function of a struct of its inputs.

    MLflow's spark_udf lets each thread of the engine copy the model into one folder, named by the
    process: now and then one reads what another is still writing.
    """
    from pyspark.sql import functions as F

    @F.pandas_udf(result_type)
    def predict(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
        model = loaded(folder)
        for rows in batches:
            if len(rows):  # many models can't answer none
                yield answers(model.predict(rows), result_type)

    return predict


def loaded(folder: str) -> Any:
    """The model of a folder as a pyfunc, loaded once, however many threads ask at a time."""
    with _LOADING:
        return _load(folder)


_LOADING = threading.Lock()


@lru_cache(maxsize=4)
def _load(folder: str) -> Any:
    import mlflow

    return mlflow.pyfunc.load_model(folder)


def answers(found: Any, result_type: str) -> pd.Series:
    """What a model gives for some rows as a column: of several the first, or all as a list."""
    frame = found if isinstance(found, pd.DataFrame) else pd.DataFrame(found)
    if result_type.startswith("array<"):
        return pd.Series(frame.to_numpy().tolist())
    return frame.iloc[:, 0].reset_index(drop=True)


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
