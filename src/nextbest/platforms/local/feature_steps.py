"""Feature tables, and the steps of a training set: lookups spelt out, functions found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nextbest.platforms import FeatureFunction, Lookup
from nextbest.platforms.functions import CatalogFunction

Kinds = Mapping[str, str]  # column -> SQL type


@dataclass(frozen=True)
class FeatureTable:
    """A feature table as declared, with the types of all its columns."""

    name: str
    keys: tuple[str, ...]
    timestamp: str | None
    kinds: Kinds


@dataclass(frozen=True)
class Join:
    """A lookup with its features spelt out: columns of the table -> names in the training set."""

    lookup: Lookup
    table: FeatureTable
    features: Mapping[str, str]

    def inputs(self) -> tuple[str, ...]:
        """The columns that must be there before it; a label may be the timestamp, but no key."""
        return self.lookup.keys

    def outputs(self) -> dict[str, str]:
        """The columns that it gives, with their types."""
        return {name: self.table.kinds[feature] for feature, name in self.features.items()}


@dataclass(frozen=True)
class Call:
    """A function to apply."""

    wanted: FeatureFunction
    function: CatalogFunction

    def inputs(self) -> tuple[str, ...]:
        """The columns that must be there before it."""
        return tuple(self.wanted.inputs.values())

    def outputs(self) -> dict[str, str]:
        """The column that it gives, with its type."""
        return {self.wanted.output: self.function.returns}


def spelt_out(lookup: Lookup, table: FeatureTable) -> Join:
    """The lookup with the features that it names, or all that are no key."""
    keys = {*table.keys, table.timestamp}
    named = lookup.features or [name for name in table.kinds if name not in keys]
    return Join(lookup, table, {name: lookup.output(name) for name in named})
