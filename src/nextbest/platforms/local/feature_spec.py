"""The feature spec that travels inside a model: which columns it takes, and where each comes from.

What Databricks' feature engineering client (0.18.2) keeps, see ../shared/reference/databricks.md
§2; how it is written: feature_spec_file.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nextbest.errors import DataError
from nextbest.platforms import FeatureFunction, Lookup, TrainingSpec

SOURCE, LOOKUP, FUNCTION = "training_data", "feature_store", "on_demand_feature"
RANKS = {SOURCE: 0, FUNCTION: 1, LOOKUP: 2}  # what comes first where order is free


@dataclass(frozen=True)
class Column:
    """A column by its final name; `include` says whether the model itself takes it.

    `source` is training_data, feature_store (table, feature, keys, timestamp, default as text) or
    on_demand_feature (function, inputs by parameter). `order` is a place after all its inputs.
    """

    name: str
    source: str
    data_type: str = ""
    include: bool = True
    order: int = 0
    table: str = ""
    feature: str = ""
    keys: tuple[str, ...] = ()
    timestamp: str | None = None
    default: str | None = None
    function: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A feature table that is looked into: its id when the model was trained, and its lookback."""

    name: str
    id: str | None = None
    lookback: dt.timedelta | None = None


@dataclass(frozen=True)
class FeatureSpec:
    """All columns in the order source, lookups, functions; tables sorted by name."""

    columns: tuple[Column, ...]
    tables: tuple[Table, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the model takes, in its order."""
        return tuple(column.name for column in self.columns if column.include)

    @property
    def sources(self) -> tuple[Column, ...]:
        """What a frame to be scored must bring."""
        return tuple(column for column in self.columns if column.source == SOURCE)


def build(
    types: Mapping[str, str], spec: TrainingSpec, table_ids: Mapping[str, str]
) -> FeatureSpec:
    """The spec of a training set.

    `types` are those of all its columns before any was excluded; each lookup names its features.
    An excluded column stays, marked, where a lookup's key or a function needs it. Raises DataError
    for what can't be ordered.
    """
    spine, lookups, exclude = spec.spine.columns, spec.lookups, spec.exclude
    columns = [Column(name, SOURCE) for name in spine if name not in spec.labels]
    for lookup in lookups:
        looked_up = [_looked_up(lookup, feature) for feature in lookup.features]
        # A feature that the spine has already is not looked up.
        columns += [column for column in looked_up if column.name not in spine]
    columns += [
        Column(f.output, FUNCTION, function=f.function, inputs=dict(f.inputs))
        for f in spec.functions
    ]
    needed = {name for column in columns for name in _needs(column)}
    kept = [c for c in columns if c.name not in exclude or c.name in needed]
    order = _ordered(kept)
    finished = tuple(
        replace(c, data_type=types[c.name], order=order[c.name], include=c.name not in exclude)
        for c in kept
    )
    windows = {lookup.table: lookup.lookback for lookup in lookups}
    used = sorted({column.table for column in finished if column.table})
    return FeatureSpec(finished, tuple(Table(t, table_ids[t], windows[t]) for t in used))


def questions(spec: FeatureSpec) -> tuple[list[Lookup], list[FeatureFunction]]:
    """The lookups and functions that compute the spec's columns anew, each after its inputs.

    Defaults stay text.
    """
    windows = {table.name: table.lookback for table in spec.tables}
    groups: list[tuple[tuple[Any, ...], dict[str, Column]]] = []
    for column in spec.columns:
        if column.source != LOOKUP:
            continue
        place = (column.table, column.keys, column.timestamp)
        for group, members in groups:
            if group == place and column.feature not in members:
                members[column.feature] = column
                break
        else:
            groups.append((place, {column.feature: column}))
    groups.sort(key=lambda group: min(column.order for column in group[1].values()))
    lookups = [
        Lookup(
            table, keys, timestamp, tuple(members), windows.get(table),
            {name: c.name for name, c in members.items() if c.name != name},
            {c.name: c.default for c in members.values() if c.default},
        )
        for (table, keys, timestamp), members in groups
    ]  # fmt: skip
    functions = [
        FeatureFunction(column.function, column.inputs, column.name)
        for column in sorted(spec.columns, key=lambda column: column.order)
        if column.source == FUNCTION
    ]
    return lookups, functions


def _looked_up(lookup: Lookup, feature: str) -> Column:
    name = lookup.renames.get(feature, feature)
    default = lookup.defaults.get(name)
    return Column(
        name,
        LOOKUP,
        table=lookup.table,
        feature=feature,
        keys=lookup.keys,
        timestamp=lookup.timestamp,
        default=None if default is None else str(default),
    )


def _needs(column: Column) -> set[str]:
    return {*column.keys, *column.inputs.values()}


def _ordered(columns: Iterable[Column]) -> dict[str, int]:
    """A place for each column after its inputs; features that can be looked up at once are."""
    waiting = {column.name: column for column in columns}
    unknown = sorted({n for c in waiting.values() for n in _needs(c)} - waiting.keys())
    if unknown:
        raise DataError(
            f"no column {', '.join(unknown)}, which lookups or functions need: it must be in the "
            "spine or come from another lookup or function"
        )
    places: dict[str, int] = {}
    while waiting:
        ready = [c for c in waiting.values() if _needs(c) <= places.keys()]
        if not ready:
            raise DataError(f"these columns need each other: {', '.join(sorted(waiting))}")
        ready.sort(key=lambda c: (RANKS[c.source], c.name))
        together = ready if all(c.source == LOOKUP for c in ready) else ready[:1]
        for column in together:
            places[column.name] = len(places)
            del waiting[column.name]
    return places
