"""Nothing that Databricks or MLflow has dropped, or is about to, is used anywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from workspace import server

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
CODE = [
    *sorted((ROOT / "src").rglob("*.py")),
    *sorted((ROOT / "notebooks").glob("*.py")),
    *sorted((ROOT / "examples").glob("*.py")),
]
TEXTS = [ROOT / "databricks.yml", *sorted((ROOT / "resources").glob("*.yml"))]

# Attribute, keyword argument or part of a module → why not. Of MLflow 3: stages have given way to
# aliases, `artifact_path` of log_model to `name`, and evaluate to mlflow.models.evaluate.
ATTRIBUTES = {
    "transition_model_version_stage": "stages: set an alias",
    "get_latest_versions": "stages: look an alias up",
    "online_tables": "legacy online tables, gone since 2026-01: Online Feature Store",
    "create_online_table": "legacy online tables: publish_table",
    "list_artifacts_with_stage": "stages",
    "publish_to_online_store": "workspace feature store",
    "FeatureStoreClient": "workspace feature store: FeatureEngineeringClient",
    "legacy_alerts": "alerts of before: alerts_v2",
    "model_registry": "the workspace's own registry: Unity Catalog's",
    "sparkContext": "no RDD in Spark Connect",
    "_jvm": "no JVM in Spark Connect",
}
ARGUMENTS = {
    "artifact_path": "log_model takes name",
    "stages": "stages: aliases",
    "archive_existing_versions": "stages: aliases",
    "await_creation_for": "stages",
    "baseline_model": "evaluate has none: evaluate both, then validate_evaluation_results",
    "auto_capture_config": "AI Gateway's inference tables",
    "served_models": "served_entities",
}
MODULES = ("databricks.feature_store", "databricks.automl", "mlflow.legacy_databricks_cli")
# Still called where `profiling` is quality_monitors, though the SDK says "Deprecated: Use Data
# Quality Monitors API instead": not every workspace has that one (data_quality) yet.
MONITORS = {f"QualityMonitorsAPI.{name}" for name in (
    "create", "get", "get_refresh", "run_refresh", "update",
)}  # fmt: skip
URIS = re.compile(r"models:/[^/\s\"']+/(Production|Staging|Archived|None)\b", re.I)


def used(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, what is used, why it must not be."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield node.lineno, node.attr, ATTRIBUTES[node.attr]
        elif isinstance(node, ast.Name) and node.id in ATTRIBUTES:
            yield node.lineno, node.id, ATTRIBUTES[node.id]
        elif isinstance(node, ast.Call):
            names = {each.arg for each in node.keywords}
            if names >= {"flavor", "training_set"}:  # of the feature client, which asks for it
                names.discard("artifact_path")
            for name in names & set(ARGUMENTS):
                yield node.lineno, name, ARGUMENTS[name]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [each.name for each in node.names]
            module = getattr(node, "module", None) or ""
            for name in (module, *names, *(f"{module}.{name}" for name in names)):
                if name.startswith(MODULES) or name in ATTRIBUTES:
                    yield node.lineno, name, ATTRIBUTES.get(name, "dropped")
        elif isinstance(node, ast.Constant) and URIS.search(str(node.value)):
            yield node.lineno, str(node.value), "stages: models:/NAME@ALIAS"


def found_in(text: str) -> list[str]:
    return [f"line {line}: {what} ({why})" for line, what, why in used(ast.parse(text))]


def test_there_is_code_to_look_at():
    assert len(CODE) > 150
    assert len([path for path in CODE if path.parent.name == "notebooks"]) == 12


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_legacy(path: Path):
    assert found_in(path.read_text(encoding="utf-8")) == []


def test_no_other_call_of_the_sdk_is_deprecated():
    """The routes of the recorder are all calls that the adapters make (test_calls.py)."""
    deprecated = {
        route.sdk.__qualname__
        for route in server.ROUTES
        if re.match(r"\s*(\[?deprecated\b|\(deprecated\b)", route.sdk.__doc__ or "", re.I)
    }
    assert deprecated == MONITORS


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_nothing_legacy_in_the_bundle(path: Path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"online_tables?:|auto_capture_config|served_models|mlflow-models", text)
    assert not re.search(r"^\s+models:$", text, re.M), "the workspace's own registry"


@pytest.mark.parametrize(
    "line",
    [
        "client.transition_model_version_stage('nba', 1, 'Production')",
        "client.get_latest_versions('nba', stages=['Production'])",
        "mlflow.pyfunc.log_model(artifact_path='model', python_model=m)",
        "mlflow.pyfunc.load_model('models:/nba/Production')",
        "from databricks.feature_store import FeatureStoreClient",
        "from databricks import feature_store",
        "import databricks.automl",
        "w.online_tables.create(name='a.b.c')",
        "mlflow.evaluate(model, data, baseline_model=old)",
        "EndpointCoreConfigInput(served_models=[])",
        "spark.sparkContext.parallelize([])",
    ],
)
def test_each_would_be_found(line: str):
    assert found_in(line), line


def test_what_is_right_is_not_found():
    assert found_in("mlflow.pyfunc.log_model(name='model', python_model=m)") == []
    assert found_in("client.log_model(flavor=f, training_set=t, artifact_path='model')") == []
    assert found_in("mlflow.pyfunc.load_model('models:/a.b.c@champion')") == []
    assert found_in("from databricks.feature_engineering import FeatureEngineeringClient") == []
