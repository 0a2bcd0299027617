"""What is told as deprecated is what databricks-bundles marks so, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import databricks.bundles
import pytest

from nextbest.bundle.deprecated import FIELDS, VALUES
from nextbest.bundle.fields import fields_of, is_type, type_names, values_of

pytestmark = pytest.mark.unit

PACKAGE = Path(next(iter(databricks.bundles.__path__)))
OURS = (
    "alerts", "experiments", "jobs", "model_serving_endpoints", "quality_monitors",
    "registered_models", "schemas", "secret_scopes", "volumes",
)  # fmt: skip
OF_THE_FILE = {"BundleSection.compute_id", "Experimental.pydabs"}  # no resource: not in the package
# How a docstring begins, after marks such as [Public Preview] or :meta private:.
MARK = re.compile(
    r"(?:\s|\[[\w ]+\]|:meta private:)*?(?:\[DEPRECATED\]|DEPRECATED\b|\(Deprecated\b)"
)


def texts() -> Iterator[tuple[str, str]]:
    """Type.field, and what its docstring says."""
    for group in OURS:
        for file in sorted((PACKAGE / group / "_models").glob("*.py")):
            for kind in ast.parse(file.read_text(encoding="utf-8")).body:
                if not isinstance(kind, ast.ClassDef) or not is_type(kind.name):
                    continue
                for field, text in zip(kind.body, kind.body[1:], strict=False):
                    if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                        yield f"{kind.name}.{field.target.id}", ast.literal_eval(text.value)


def test_every_marked_field_and_no_other():
    said = dict(texts())
    assert len(said) > 400
    marked = {name for name, text in said.items() if MARK.match(text)}
    assert marked == set(FIELDS) - OF_THE_FILE


def test_no_mark_is_overlooked():
    """A docstring that says so elsewhere than at its beginning is one of these few."""
    speaks = {name for name, text in texts() if "deprecated" in text.lower()}
    assert speaks - set(FIELDS) == {
        "ClusterSpec.data_security_mode",  # of some of its values, see below
        "AlertV2Evaluation.empty_result_state",  # one value "is planned to be deprecated"
    }


def test_every_marked_value():
    text = dict(texts())["ClusterSpec.data_security_mode"]
    _, _, legacy = text.partition("deprecated starting with")
    named = re.findall(r"^\s*\* `(\w+)`", legacy, re.M)
    assert {f"DataSecurityMode.{name}" for name in named} == set(VALUES)


def test_each_is_a_field_or_value_that_is_known():
    assert all(kind in type_names() for kind in (name.partition(".")[0] for name in FIELDS))
    for name in FIELDS:
        kind, _, field = name.partition(".")
        assert field in fields_of(kind)
    for name in VALUES:
        kind, _, value = name.partition(".")
        assert value in values_of(kind)
