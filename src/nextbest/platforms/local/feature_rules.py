"""What can speak against a training set: names, parameters, keys and types that don't fit."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from nextbest.platforms.local.feature_checks import KNOWN, general
from nextbest.platforms.local.feature_steps import Call, Join, Kinds


def names(
    spine: Sequence[tuple[str, str]],
    joins: Sequence[Join],
    calls: Sequence[Call],
    labels: Sequence[str],
    exclude: Sequence[str],
) -> Iterator[str]:
    """What is wrong with the names alone."""
    columns = [name for name, _ in spine]
    features = [name for join in joins for name in join.features.values()]
    computed = [call.wanted.output for call in calls]
    for kind, names in (
        ("column of the spine", columns), ("label", labels), ("feature", features),
        ("output of a function", computed),
    ):  # fmt: skip
        yield from (f"{kind} '{name}' is there twice" for name in _twice(names))
    yield from (f"label '{name}' not found in the spine" for name in labels if name not in columns)
    yield from (f"label '{name}' can't be excluded" for name in labels if name in exclude)
    added = [*features, *computed]
    yield from (f"'{name}' is a label and a feature" for name in labels if name in added)
    # Whoever is excluded may not ask for what nobody gives, either.
    given = ({*columns} - {*labels}) | {*added}
    for step in (*joins, *calls):
        for name in step.inputs():
            if name not in given:
                yield f"{told(step)}: '{name}' not found (a label is no input)"
    taken = {*columns, *features}
    yield from (f"'{name}' is there before the function" for name in computed if name in taken)


def _twice(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def bindings(joins: Sequence[Join], calls: Sequence[Call]) -> Iterator[str]:
    """Features that tables lack, tables with two lookbacks, parameters that are not bound."""
    for join in joins:
        for name in join.features:
            if name not in join.table.kinds:
                yield f"no feature '{name}' in {join.table.name}"
    windows = {(join.table.name, join.lookup.lookback) for join in joins}
    for table in _twice([table for table, _ in windows]):
        yield f"{table} is looked up with several lookbacks, but a table has one"
    for call in calls:
        parameters = {name for name, _ in call.function.parameters}
        if parameters != call.wanted.inputs.keys():
            yield (
                f"function {call.function.name} has the parameters {sorted(parameters)}, not "
                f"{sorted(call.wanted.inputs)}"
            )


def twice_asked(joins: Sequence[Join], kinds: Kinds) -> Iterator[str]:
    """Features asked for under two names by the same keys, of which the client makes only one.

    That is the last by name, which is no harm when the spine has the others.
    """
    outputs: dict[tuple[Any, ...], list[str]] = {}
    for join in joins:
        for feature, name in join.features.items():
            by = (join.table.name, join.lookup.keys, join.lookup.timestamp, feature)
            outputs.setdefault(by, []).append(name)
    for by, names in outputs.items():
        if [name for name in sorted(names)[:-1] if name not in kinds]:
            yield f"feature '{by[3]}' of {by[0]} is asked for as {' and '.join(sorted(names))}"


def told(step: Join | Call) -> str:
    """The step as a sentence about it begins."""
    if isinstance(step, Call):
        return f"function {step.function.name}"
    return f"unable to join feature table {step.table.name}"


def unfit(step: Join | Call, kinds: Kinds, exclude: Sequence[str]) -> Iterator[str]:
    """How the step's inputs differ from what it takes."""
    if isinstance(step, Call):
        pairs = [(step.wanted.inputs[name], name, kind) for name, kind in step.function.parameters]
        for column, name, kind in pairs:
            if kinds[column] != kind:
                yield f"{told(step)}: '{column}' is {kinds[column]}, its '{name}' is {kind}"
        return
    lookup, table = step.lookup, step.table
    times = [[name] if name else [] for name in (lookup.timestamp, table.timestamp)]
    if step.outputs().keys() - kinds.keys():
        exact = lookup.timestamp is None or lookup.lookback == dt.timedelta(0)
        for column in _twice([*lookup.keys, *times[0]]):
            # The client's exact join then has the column twice, and fails when it is selected.
            if not (exact and column in exclude):
                yield f"{told(step)}: '{column}' is named for two of its keys or its timestamp"
    for ours, theirs, what in ((lookup.keys, table.keys, "keys"), (*times, "timestamp")):
        if len(ours) != len(theirs):
            yield f"{told(step)}: its {what} are {[*theirs]}, the lookup names {[*ours]}"
            continue
        for column, key in zip(ours, theirs, strict=True):
            left, right = kinds.get(column, "absent"), table.kinds.get(key, "absent")
            if general(left) != general(right) or general(left) not in KNOWN:
                yield (
                    f"{told(step)}: '{column}' is {left} in the spine and '{key}' is {right} "
                    "in the table"
                )
