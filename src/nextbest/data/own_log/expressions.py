"""Expressions over a log's columns: the language of rules, evaluated on Arrow without an engine."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from nextbest.decisions.rule_nodes import read
from nextbest.decisions.rule_parts import Place, Reading, a
from nextbest.errors import DataError

_TYPES = {"number": pa.float64(), "text": pa.string(), "boolean": pa.bool_()}
_BINARY = {
    exp.Add: pc.add, exp.Sub: pc.subtract, exp.Mul: pc.multiply,
    exp.EQ: pc.equal, exp.NEQ: pc.not_equal, exp.LT: pc.less, exp.LTE: pc.less_equal,
    exp.GT: pc.greater, exp.GTE: pc.greater_equal, exp.And: pc.and_kleene, exp.Or: pc.or_kleene,
}  # fmt: skip
_CALLS = {
    exp.Abs: pc.abs, exp.Lower: pc.utf8_lower, exp.Upper: pc.utf8_upper, exp.Neg: pc.negate,
    exp.Not: pc.invert, exp.Coalesce: pc.coalesce,
    exp.Least: functools.partial(pc.min_element_wise, skip_nulls=True),
    exp.Greatest: functools.partial(pc.max_element_wise, skip_nulls=True),
}  # fmt: skip
_NO = (exp.Anonymous, exp.Cast, exp.TryCast)  # allowed in rules, where there are dates


@dataclass(frozen=True)
class Expression:
    """An expression as written, its tree, and the columns that it reads."""

    text: str
    tree: exp.Expression
    columns: tuple[str, ...]


def parse_expression(text: str, kinds: Mapping[str, str], wanted: str) -> Expression:
    """Read an expression over columns (name → "double" or "string") whose value is of a kind.

    The language is decisions.rules', without dates; a number or text is made of true and false by
    IF. `wanted` is number or text. Raises DataError with everything that is wrong.
    """
    try:
        tree = sqlglot.parse_one(text, dialect="spark", into=exp.Condition)
    except (ParseError, TokenError) as error:
        raise DataError(
            f"expression '{text}' can't be read: {str(error).splitlines()[0]}"
        ) from error
    reading = Reading(kinds, dt.date(1970, 1, 1))
    part = read(tree, Place(1), reading)
    problems = list(reading.problems)
    if any(isinstance(node, _NO) for node in tree.walk()):
        problems.append("dates have no place in it: name the column's formats instead")
    if part.kind not in (wanted, "unknown"):
        problems.append(f"it is {a(part.kind)}, not {a(wanted)}")
    if problems:
        raise DataError(f"expression '{text}': " + "; ".join(problems))
    lower = {name.lower(): name for name in kinds}
    named = [node.name for node in tree.find_all(exp.Column)]
    used = [name if name in kinds else lower[name.lower()] for name in named]
    for node, name in zip(list(tree.find_all(exp.Column)), used, strict=True):
        node.set("this", exp.to_identifier(name, quoted=True))
    return Expression(text, tree, tuple(dict.fromkeys(used)))


def evaluate(expression: Expression, columns: Mapping[str, pa.Array], count: int) -> pa.Array:
    """The value for each of `count` rows; null where it can't be computed (a division by 0)."""
    value = _value(expression.tree, columns)
    if isinstance(value, pa.Scalar):
        return pa.array([value.as_py()] * count, value.type)
    return value


def _value(node: exp.Expression, columns: Mapping[str, pa.Array]) -> pa.Array | pa.Scalar:
    def of(each: exp.Expression) -> pa.Array | pa.Scalar:
        return _value(each, columns)

    kind = type(node)
    if kind is exp.Paren:
        return of(node.this)
    if kind is exp.Column:
        return columns[node.name]
    if kind is exp.Literal:
        return pa.scalar(node.name if node.is_string else float(node.name))
    if kind is exp.Boolean:
        return pa.scalar(bool(node.this))
    if kind is exp.Null:
        return pa.scalar(None)
    if kind in _BINARY:
        return _BINARY[kind](of(node.this), of(node.expression))
    if kind in (exp.Div, exp.Mod):
        return _divided(of(node.this), of(node.expression), kind is exp.Mod)
    if kind is exp.Is:
        return pc.is_null(of(node.this))
    if kind is exp.Between:
        value, low, high = of(node.this), of(node.args["low"]), of(node.args["high"])
        return pc.and_kleene(pc.greater_equal(value, low), pc.less_equal(value, high))
    if kind is exp.In:
        value = of(node.this)
        return functools.reduce(
            pc.or_kleene, [pc.equal(value, of(each)) for each in node.expressions]
        )
    if kind is exp.Like:
        found = pc.match_like(of(node.this), node.expression.name)
        return pc.invert(found) if node.args.get("negate") else found
    if kind is exp.Length:
        return pc.utf8_length(of(node.this)).cast(pa.float64())
    if kind in (exp.Case, exp.If):
        return _case(node, columns)
    return _CALLS[kind](*[of(each) for each in (node.this, *node.expressions)])


def _divided(left: pa.Array, right: pa.Array, rest: bool) -> pa.Array | pa.Scalar:
    zero = pc.equal(right, 0.0)
    right = pc.if_else(zero, pa.scalar(None, pa.float64()), right)
    quotient = pc.divide(left, right)
    return pc.subtract(left, pc.multiply(pc.trunc(quotient), right)) if rest else quotient


def _case(node: exp.Case | exp.If, columns: Mapping[str, pa.Array]) -> pa.Array | pa.Scalar:
    branches = node.args["ifs"] if isinstance(node, exp.Case) else [node]
    last = node.args.get("default" if isinstance(node, exp.Case) else "false")
    value = _value(last, columns) if last else pa.scalar(None)
    for branch in reversed(branches):
        # A condition that is unknown counts as one that is false.
        condition = pc.fill_null(_value(branch.this, columns), False)
        then = _value(branch.args["true"], columns)
        known = next((t for t in (then.type, value.type) if t != pa.null()), pa.string())
        value = pc.if_else(condition, then.cast(known), value.cast(known))
    return value
