"""What differs between a laptop and Databricks: a few ports, chosen once by a setting."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from nextbest.errors import DataError
from nextbest.monitoring.labels import CLASSIFICATION, REGRESSION, Labels
from nextbest.settings import Settings

if TYPE_CHECKING:
    from mlflow.types import Schema
    from pyspark.sql import DataFrame, SparkSession

    from nextbest.platforms.releases import Releases
    from nextbest.platforms.texts import TableText

# Where the folder of a model that was logged with its feature spec keeps the model itself.
RAW_MODEL = "data/feature_store/raw_model"


@dataclass(frozen=True)
class Lookup:
    """Features to fetch for each row of a spine, from one feature table.

    `keys` are columns of the spine, in the order of the table's keys. With a `timestamp` (a column
    of the spine) it is the latest row at or before it, no older than `lookback` (inclusive; zero
    is that very moment). `features` are columns of the table, none named: all that are no key.
    `renames` gives features other names, `defaults` values for those that stay null (or NaN) when
    all is joined and computed, by their final names. Raises DataError for what can't go together,
    as Databricks' FeatureLookup does.
    """

    table: str
    keys: tuple[str, ...]
    timestamp: str | None = None
    features: tuple[str, ...] = ()
    lookback: dt.timedelta | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = [self.renames.get(name, name) for name in self.features]
        problems = [
            f"default for '{name}', which is renamed to '{self.renames[name]}': use that name"
            for name in self.defaults
            if name in self.renames
        ]
        problems += [
            f"default for '{name}', which is none of {', '.join(named)}"
            for name in self.defaults
            if self.features and name not in named
        ]
        if self.lookback is not None and self.timestamp is None:
            problems.append("a lookback needs a timestamp")
        if self.lookback is not None and self.lookback < dt.timedelta(0):
            problems.append(f"the lookback is negative ({self.lookback})")
        if not self.keys:
            problems.append("no keys")
        if problems:
            raise DataError(f"lookup of {self.table}: {'; '.join(problems)}")

    def output(self, feature: str) -> str:
        """The name that a feature of the table gets in the training set."""
        return self.renames.get(feature, feature)


@dataclass(frozen=True)
class FeatureFunction:
    """A feature computed on demand: a function of the catalog over columns and looked-up features.

    `inputs` names a column for each of its parameters, `output` is the column that it adds.
    Functions see features before defaults fill them.
    """

    function: str
    inputs: Mapping[str, str]
    output: str


@dataclass(frozen=True, eq=False)
class TrainingSpec:
    """What a training set is made of: rows to complete, and where their features come from.

    `labels` are columns of the spine that come last and are no input; `exclude` names columns that
    are left out at the end.
    """

    spine: DataFrame
    lookups: Sequence[Lookup] = ()
    functions: Sequence[FeatureFunction] = ()
    labels: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.labels, str) or isinstance(self.exclude, str):
            raise DataError("training set: labels and exclude are lists of names")


@dataclass(frozen=True, eq=False)
class NewModel:
    """A model to be logged by an MLflow flavor, and the name under which it is registered.

    Its output is told by `output_schema`, else by the labels. `save` goes to the flavor's
    save_model.
    """

    model: Any
    name: str
    flavor: ModuleType
    pip_requirements: Sequence[str]
    output_schema: Schema | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    save: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """A feature table online: keys written and taken out, None where the platform doesn't tell."""

    table: str
    written: int | None = None
    removed: int | None = None


@dataclass(frozen=True)
class Monitor:
    """What to watch, and the table it is compared with, if any.

    With `model_id` it is an inference log, else with a `timestamp` a time series, else a snapshot:
    the whole table, on the day it is looked at.
    """

    table: str
    baseline: str | None
    timestamp: str | None
    granularity: str | None
    model_id: str | None  # the column that tells model versions apart
    prediction: str | None  # the column with what they predict
    columns: tuple[str, ...]
    slices: tuple[str, ...] = ()
    label: str | None = None  # the column with what came, where it is filled in later
    problem: str = REGRESSION  # what is predicted: numbers, or with CLASSIFICATION classes

    def __post_init__(self) -> None:
        problems = []
        if (self.timestamp is None) != (self.granularity is None):
            problems.append("timestamp and granularity go together")
        if self.model_id is not None and self.timestamp is None:
            problems.append("an inference log needs a timestamp")
        if (self.model_id is None) != (self.prediction is None):
            problems.append("model_id and prediction go together")
        if self.label is not None and self.prediction is None:
            problems.append("a label needs a prediction")
        if self.problem not in (REGRESSION, CLASSIFICATION):
            problems.append(f"problem is {self.problem!r}, not {REGRESSION} or {CLASSIFICATION}")
        if problems:
            raise DataError(f"monitor of {self.table}: {'; '.join(problems)}")

    @property
    def labels(self) -> Labels | None:
        """What the model's quality is measured by; None without a label column."""
        if self.label is None or self.prediction is None:
            return None
        return Labels(self.prediction, self.label, self.problem)


@dataclass(frozen=True)
class MetricTables:
    """Where a monitor's metrics stand; `sketches`, of which they are made, where we make them."""

    profile: str
    drift: str
    sketches: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """A model version that answers requests: its name and where it can be asked."""

    name: str
    model_name: str
    version: str
    url: str


class Catalog(Protocol):
    """What tables say of themselves and refuse by themselves; `open_delta` reads somebody else's.

    That is a table by its name or a Delta folder by its absolute path, whoever wrote it.
    """

    def describe(self, page: str, texts: Sequence[TableText]) -> None: ...

    def constrain(self, table: str, rules: Mapping[str, str]) -> None: ...

    def open_delta(self, source: str) -> DataFrame: ...


class FeatureStore(Protocol):
    """Feature tables with keys and mostly a timestamp, functions over features, models of both.

    `write` creates the table or merges rows by keys + timestamp; new columns are added. `register`
    keeps a Python function in the catalog. `training_set` gives the columns of the spine, then
    features, then what functions compute, then the labels. Rows of the spine stay without a match,
    duplicates stay, and a column of the spine overrides a feature of that name. Only a row whose
    time is null is not in the result where a table is looked up in time, since Databricks leaves
    it out. `log_model` logs a model with the spec of its training set in the active MLflow run and
    registers it: the version's number. `score_batch` gives a frame the model's inputs that it
    lacks, and `prediction`; what it brings is taken as it is. `publish` brings the latest row of
    each key of a table online; `online` says whether that was ever done. What doesn't fit raises
    DataError.
    """

    def write(
        self, table: str, frame: DataFrame, keys: Sequence[str], timestamp: str | None
    ) -> None: ...

    def read(self, table: str) -> DataFrame: ...

    def register(self, name: str, function: Callable[..., Any]) -> None: ...

    def training_set(self, spec: TrainingSpec) -> DataFrame: ...

    def log_model(self, new: NewModel, spec: TrainingSpec) -> str: ...

    def score_batch(
        self, model_uri: str, frame: DataFrame, result_type: str = "double"
    ) -> DataFrame: ...

    def publish(self, table: str) -> Published: ...

    def online(self, table: str) -> bool: ...


class Monitors(Protocol):
    """Profiles and drift of a table, kept in two metric tables."""

    def refresh(self, monitor: Monitor, day: dt.date) -> None: ...

    def tables(self, monitor: Monitor) -> MetricTables: ...


class Serving(Protocol):
    """Endpoints that answer requests with a registered model version."""

    def deploy(self, name: str, model_name: str, version: str) -> Endpoint: ...

    def served(self, name: str) -> Endpoint | None: ...

    def query(self, endpoint: Endpoint, records: Sequence[Mapping[str, Any]]) -> list[Any]: ...


class Links(Protocol):
    """Addresses of pages: of a run of a job ("job id/run id"), of an MLflow run.

    `page` is the file that links there. A run by hand has no page: None.
    """

    def run(self, run: str, page: Path) -> str | None: ...

    def mlflow(self, experiment_id: str, run_id: str) -> str: ...


@dataclass(frozen=True)
class Platform:
    """The chosen platform: an engine session and the ports, nothing else."""

    name: str
    spark: SparkSession
    features: FeatureStore
    monitors: Monitors
    serving: Serving
    catalog: Catalog
    links: Links
    volume: Path


def open_platform(settings: Settings, spark: SparkSession) -> Platform:
    """The platform that `settings.platform` names; never another one in its place."""
    module = importlib.import_module(f"nextbest.platforms.{settings.platform}.session")
    return module.open_platform(settings, spark)


def open_secrets(settings: Settings) -> Callable[[str, str], str]:
    """(scope, key) → the secret, which nobody may write down; it raises PlatformError for none."""
    module = importlib.import_module(f"nextbest.platforms.{settings.platform}.secrets")
    return module.open_secrets()


def open_releases(settings: Settings, spark: SparkSession) -> Releases:
    """What a release in a task needs of the platform that `settings.platform` names."""
    module = importlib.import_module(f"nextbest.platforms.{settings.platform}.releasing")
    return module.in_a_task(settings, spark)
