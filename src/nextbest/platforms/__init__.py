"""What differs between a laptop and Databricks: a few ports, chosen once by a setting."""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nextbest.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Lookup:
    """Features to fetch for each row of a spine, from one feature table.

    `keys` are columns of the spine, in the order of the table's keys. With a `timestamp` (a column
    of the spine) it is the latest row at or before it, no older than `lookback` (inclusive).
    `features` are columns of the table, none named: all that are no key. `renames` gives features
    other names, `defaults` values for those that stay null, by their final names.
    """

    table: str
    keys: tuple[str, ...]
    timestamp: str | None = None
    features: tuple[str, ...] = ()
    lookback: dt.timedelta | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FeatureFunction:
    """A feature computed on demand: a function of the catalog over columns and looked-up features.

    `inputs` names a column for each of its parameters, `output` is the column that it adds.
    """

    function: str
    inputs: Mapping[str, str]
    output: str


@dataclass(frozen=True)
class Monitor:
    """What to watch: an inference log over time, and the table it is compared with."""

    table: str
    baseline: str
    timestamp: str
    granularity: str
    model_id: str  # the column that tells model versions apart
    columns: tuple[str, ...]
    slices: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetricTables:
    """Where a monitor's metrics stand."""

    profile: str
    drift: str


@dataclass(frozen=True)
class Endpoint:
    """A model version that answers requests: its name and where it can be asked."""

    name: str
    model_name: str
    version: str
    url: str


@dataclass(frozen=True)
class ColumnText:
    """What a column means, for whoever reads it: over which window, in which unit, from where."""

    name: str
    meaning: str
    unit: str = ""
    window: str = ""
    source: str = ""


@dataclass(frozen=True)
class TableText:
    """What a table (three-level name) is, and its columns."""

    name: str
    meaning: str
    columns: tuple[ColumnText, ...]


class Catalog(Protocol):
    """What tables say of themselves and refuse by themselves."""

    def describe(self, page: str, texts: Sequence[TableText]) -> None: ...

    def constrain(self, table: str, rules: Mapping[str, str]) -> None: ...


class FeatureStore(Protocol):
    """Feature tables with keys and a timestamp."""

    def write(self, table: str, frame: DataFrame, keys: Sequence[str], timestamp: str) -> None: ...

    def training_set(self, spine: DataFrame, lookups: Sequence[Lookup]) -> DataFrame: ...


class Monitors(Protocol):
    """Profiles and drift of a table, kept in two metric tables."""

    def refresh(self, monitor: Monitor, day: dt.date) -> None: ...

    def tables(self, monitor: Monitor) -> MetricTables: ...


class Serving(Protocol):
    """Endpoints that answer requests with a registered model version."""

    def deploy(self, name: str, model_name: str, version: str) -> Endpoint: ...

    def query(self, endpoint: Endpoint, records: Sequence[Mapping[str, Any]]) -> list[Any]: ...


@dataclass(frozen=True)
class Platform:
    """The chosen platform: an engine session and the ports, nothing else."""

    name: str
    spark: SparkSession
    features: FeatureStore
    monitors: Monitors
    serving: Serving
    catalog: Catalog
    volume: Path


def open_platform(settings: Settings, spark: SparkSession) -> Platform:
    """The platform that `settings.platform` names; never another one in its place."""
    module = importlib.import_module(f"nextbest.platforms.{settings.platform}.session")
    return module.open_platform(settings, spark)
