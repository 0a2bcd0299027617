"""Functions of the catalog: a Python function becomes one, with its types and its source.

As in Unity Catalog, what is kept is text: the function must stand alone, with its imports inside.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import textwrap
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nextbest.errors import DataError

# What an annotation is in SQL; NumPy's scalars are there for the narrow types.
SQL_TYPES = {
    "int": "bigint", "float": "double", "str": "string", "bool": "boolean", "bytes": "binary",
    "date": "date", "datetime": "timestamp", "int16": "smallint", "int32": "int",
    "int64": "bigint", "float32": "float", "float64": "double",
}  # fmt: skip


@dataclass(frozen=True)
class CatalogFunction:
    """A function as the catalog keeps it: parameters as (name, SQL type), result and source."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    returns: str
    source: str

    def python(self) -> Callable[..., Any]:
        """The function itself, made from its source."""
        namespace: dict[str, Any] = {}
        exec(compile(self.source, self.name, "exec"), namespace)
        return namespace[ast.parse(self.source).body[0].name]


def catalog_function(name: str, function: Callable[..., Any]) -> CatalogFunction:
    """What the catalog keeps of a Python function under a three-level name (in small letters).

    Annotations give the types: int is BIGINT, float DOUBLE, numpy.int32 INT, and so on. Raises
    DataError when it is no plain `def`, lacks annotations or leans on anything outside its body.
    """
    if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
        raise DataError(f"function {name}: only a plain `def` can be kept in the catalog")
    problems = []
    if name.count(".") != 2:
        problems.append("its name must be catalog.schema.function")
    if leans := sorted(_outside(_definition(function))):
        problems.append(f"it leans on {', '.join(leans)}: import or define it inside the body")
    problems += [
        f"'{each.name}' is no plain parameter: functions are called by position"
        for each in inspect.signature(function).parameters.values()
        if each.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    hints = typing.get_type_hints(function, include_extras=False)
    found = {key: _sql_type(hints.get(key)) for key in [*_parameters(function), "return"]}
    problems += [
        f"{key} has no annotation that is one of {', '.join(SQL_TYPES)}"
        for key, kind in found.items()
        if kind is None
    ]
    if problems:
        raise DataError(f"function {name} ({_place(function)}): {'; '.join(problems)}")
    returns = str(found.pop("return"))
    parameters = tuple((key, str(kind)) for key, kind in found.items())
    return CatalogFunction(name.lower(), parameters, returns, ast.unparse(_definition(function)))


def _sql_type(hint: Any) -> str | None:
    """The SQL type of an annotation, `X | None` counting as X."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [each for each in typing.get_args(hint) if each is not types.NoneType]
        return _sql_type(inner[0]) if len(inner) == 1 else None
    if typing.get_origin(hint) is not None:
        return None
    return SQL_TYPES.get(getattr(hint, "__name__", ""))


def _definition(function: types.FunctionType) -> ast.FunctionDef:
    """The `def` without annotations and decorators, which may lean on the module's imports."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    if not isinstance(node, ast.FunctionDef):
        raise DataError(f"{_place(function)}: only a plain `def` can be kept in the catalog")
    node.decorator_list, node.returns = [], None
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return node


def _outside(node: ast.FunctionDef) -> set[str]:
    """Names that the `def` takes from elsewhere, builtins apart."""
    whole = symtable.symtable(ast.unparse(node), node.name, "exec")
    # What defaults lean on is asked for where the `def` stands.
    found = {each.get_name() for each in whole.get_symbols() if each.is_referenced()}
    pending = whole.get_children()
    while pending:
        scope = pending.pop()
        found |= {each.get_name() for each in scope.get_symbols() if each.is_global()}
        pending += scope.get_children()
    return found - {*dir(builtins), node.name}


def _parameters(function: types.FunctionType) -> list[str]:
    return list(inspect.signature(function).parameters)


def _place(function: types.FunctionType) -> str:
    return f"{inspect.getsourcefile(function)}:{function.__code__.co_firstlineno}"
