"""Training sets as Databricks' feature engineering client makes them, and models logged with them.

Written from the client's source (0.18.2, see ../shared/reference/databricks.md §2); not yet run
against a workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from nextbest.errors import DataError
from nextbest.platforms import Lookup, NewModel, TrainingSpec
from nextbest.platforms.databricks.refusals import refused

if TYPE_CHECKING:
    from databricks.feature_engineering import FeatureEngineeringClient
    from databricks.ml_features.training_set import TrainingSet
    from pyspark.sql import DataFrame


def training_set(client: FeatureEngineeringClient, spec: TrainingSpec) -> TrainingSet:
    """The client's own training set, which knows its feature spec.

    The client refuses features that the spine has; here, as when it scores, they override: they
    are not looked up. Raises DataError with what the client says when something doesn't fit.
    """
    from databricks.feature_engineering import FeatureFunction, FeatureLookup

    there = _given(spec)
    with _refused(spec):
        named = [(lookup, _features(client, lookup, there)) for lookup in spec.lookups]
        lookups = [
            FeatureLookup(
                table_name=lookup.table,
                lookup_key=list(lookup.keys),
                feature_names=features,
                rename_outputs=dict(lookup.renames) or None,
                timestamp_lookup_key=lookup.timestamp,
                lookback_window=lookup.lookback,
                default_values=_defaults(lookup, set(lookup.defaults) - there),
            )
            for lookup, features in named
            if features != []
        ]
        functions = [
            FeatureFunction(
                udf_name=each.function,
                input_bindings=dict(each.inputs),
                output_name=each.output,
            )
            for each in spec.functions
        ]
        return client.create_training_set(
            df=spec.spine,
            feature_lookups=[*lookups, *functions],
            label=list(spec.labels) or None,
            exclude_columns=list(spec.exclude),
        )


def load(client: FeatureEngineeringClient, spec: TrainingSpec) -> DataFrame:
    """Its frame, where defaults fill the spine's own columns, too, as the client's join does."""
    found = training_set(client, spec)
    with _refused(spec):
        frame = found.load_df()
        for lookup in spec.lookups:
            if late := _defaults(lookup, _given(spec) & {*frame.columns}):
                frame = frame.fillna(late)
        return frame


def log(client: FeatureEngineeringClient, new: NewModel, spec: TrainingSpec) -> str:
    """Log a model with its spec in the active MLflow run and register it; the version's number.

    Raises DataError without an active run, for a training set that doesn't fit, and with what the
    client says when it refuses the model.
    """
    import mlflow

    if mlflow.active_run() is None:
        raise DataError(f"{new.name}: no active MLflow run; log within mlflow.start_run()")
    told = {} if new.output_schema is None else {"output_schema": new.output_schema}
    trained_on = training_set(client, spec)
    mend = "it takes a model that its flavor can save, and columns of types that MLflow knows"
    right = f"CAN EDIT on the experiment, and SELECT on {_tables(spec)}"
    with refused(f"{new.name} was not logged", mend, right):
        logged = client.log_model(
            model=new.model,
            artifact_path="model",
            flavor=new.flavor,
            training_set=trained_on,
            pip_requirements=list(new.pip_requirements),
            **told,
            **new.save,
        )
    # One call: a process that dies here leaves no version without its tags.
    return str(mlflow.register_model(logged.model_uri, new.name, tags=dict(new.tags)).version)


def identity(client: FeatureEngineeringClient, table: str) -> tuple[list[str], str | None]:
    """A feature table's keys without its timestamp, and its timestamp."""
    known = client.get_table(name=table)
    times = list(known.timestamp_keys)
    return [key for key in known.primary_keys if key not in times], next(iter(times), None)


def _refused(spec: TrainingSpec) -> AbstractContextManager[None]:
    """What keeps a training set from being made, with the keys that the spine needs."""
    by = [
        f"{each.table} by {', '.join([*each.keys, *([each.timestamp] if each.timestamp else [])])}"
        for each in spec.lookups
    ]
    mend = "give the spine columns of the tables' types for what it looks up"
    right = f"SELECT on {_tables(spec)}"
    return refused("no training set", f"{mend} ({'; '.join(by) or 'nothing'})", right)


def _tables(spec: TrainingSpec) -> str:
    return ", ".join(dict.fromkeys(each.table for each in spec.lookups)) or "its tables"


def _given(spec: TrainingSpec) -> set[str]:
    return {*spec.spine.columns} - {*spec.labels}


def _features(
    client: FeatureEngineeringClient, lookup: Lookup, there: set[str]
) -> Sequence[str] | None:
    """The features to look up, None for all; those that the spine has are left out."""
    features = list(lookup.features)
    if not features:
        keys, time = identity(client, lookup.table)
        columns = client.read_table(name=lookup.table).columns
        features = [name for name in columns if name not in (*keys, time)]
    missing = [name for name in features if lookup.output(name) not in there]
    return None if not lookup.features and missing == features else missing


def _defaults(lookup: Lookup, names: set[str]) -> dict[str, Any] | None:
    """The defaults of some features, None for none."""
    return {name: value for name, value in lookup.defaults.items() if name in names} or None
