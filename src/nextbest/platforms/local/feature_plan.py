"""What a training set needs, in which order, and everything that speaks against it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nextbest.errors import DataError
from nextbest.platforms.local.default_values import converted
from nextbest.platforms.local.feature_rules import bindings, names, told, twice_asked, unfit
from nextbest.platforms.local.feature_steps import Call, Join, Kinds


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which each finds its inputs, the final columns, and the defaults."""

    steps: tuple[Join | Call, ...]
    columns: tuple[str, ...]
    defaults: Mapping[str, Any]


def plan(
    spine: Sequence[tuple[str, str]],
    joins: Sequence[Join],
    calls: Sequence[Call],
    labels: Sequence[str],
    exclude: Sequence[str],
) -> Plan:
    """Order the work and check it; `spine` has (column, SQL type).

    What is excluded and is nobody's input is not looked up at all, and a feature that the spine
    has is not joined, as with Databricks' client. Raises DataError telling every problem.
    """
    _refuse([*names(spine, joins, calls, labels, exclude), *bindings(joins, calls)])
    sources = [name for name, _ in spine if name not in labels]
    asked = {name for each in (*joins, *calls) for name in each.inputs()}
    steps, kinds, problems = [], dict(spine), []
    known = set(sources)
    pending = [each for each in _cut(joins, calls, asked, exclude) if each.outputs()]
    while ready := [each for each in pending if known.issuperset(each.inputs())]:
        problems += [problem for each in ready for problem in unfit(each, kinds, exclude)]
        problems += twice_asked([each for each in ready if isinstance(each, Join)], kinds)
        steps += [_without(each, kinds) for each in ready]
        for each in ready:
            kinds = {**each.outputs(), **kinds}
            known |= each.outputs().keys()
        pending = [each for each in pending if each not in ready]
    for each in pending:
        lacks = ", ".join(f"'{name}'" for name in sorted({*each.inputs()} - known))
        problems.append(f"{told(each)}: {lacks} not found (a label is no input)")
    columns = dict.fromkeys(
        [*sources, *(name for each in (*joins, *calls) for name in each.outputs())]
    )
    kept = [name for name in columns if name not in exclude]
    if not kept:
        problems.append("every column is excluded")
    filled = {
        name: (value, kinds[name])
        for join in joins
        for name, value in join.lookup.defaults.items()
        if name in kept and name in kinds
    }
    defaults, wrong = converted(filled)
    _refuse([*problems, *wrong])
    done = [each for each in steps if each.outputs()]
    return Plan(tuple(done), (*kept, *labels), defaults)


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise DataError(f"no training set: {'; '.join(dict.fromkeys(problems))}")


def _cut(
    joins: Sequence[Join], calls: Sequence[Call], asked: set[str], exclude: Sequence[str]
) -> list[Join | Call]:
    """The work without what is excluded and is nobody's input."""
    dropped = {*exclude} - asked
    kept: list[Join | Call] = []
    for join in joins:
        features = {old: new for old, new in join.features.items() if new not in dropped}
        kept.append(replace(join, features=features))
    return kept + [call for call in calls if call.wanted.output not in dropped]


def _without(step: Join | Call, kinds: Kinds) -> Join | Call:
    """The step without features that are there: they override."""
    if isinstance(step, Call):
        return step
    missing = {old: new for old, new in step.features.items() if new not in kinds}
    return replace(step, features=missing)
