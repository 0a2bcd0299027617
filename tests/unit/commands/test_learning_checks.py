"""Feature tables have keys, deciding agrees with learning, models are this target's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle import load
from nextbest.commands.learning_checks import check_learning
from nextbest.features.feature_tables import FEATURE_TABLES, FeatureTable
from nextbest.touched import BY_NOTEBOOK

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
GIVEN = {"service_principal": "11111111-2222-3333-4444-555555555555"}


def _found(by_notebook=BY_NOTEBOOK, tables=FEATURE_TABLES, root=ROOT, target="dev"):
    bundle = load(root, target, GIVEN, "ana")
    checks = check_learning(root, bundle, by_notebook, tables)
    return [item.summary for check in checks for item in check.found]


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_nothing_to_report(target: str):
    assert _found(target=target) == []


@pytest.mark.parametrize(
    ("tables", "lacking"),
    [
        ({**FEATURE_TABLES, "customer_features": FeatureTable((), "as_of")}, "keys"),
        ({**FEATURE_TABLES, "customer_features": FeatureTable(("customer_id",), "")}, "timestamp"),
        ({k: v for k, v in FEATURE_TABLES.items() if k != "customer_features"}, "keys"),
    ],
)
def test_feature_tables_have_keys(tables, lacking: str):
    summary = f"feature table 'customer_features' of 05_batch_inference has no {lacking}"
    assert summary in _found(tables=tables)


def _touching(notebook: str, **changes):
    return {**BY_NOTEBOOK, notebook: BY_NOTEBOOK[notebook]._replace(**changes)}


@pytest.mark.parametrize(
    ("by_notebook", "summaries"),
    [
        (
            _touching("05_batch_inference", reads=("actions",)),
            ["models learn from 'customer_features', but 05_batch_inference decides without it"],
        ),
        (
            _touching(
                "08_model_serving", reads=("actions", "customer_features", "action_features")
            ),
            ["08_model_serving decides by 'action_features', from which no model learns"],
        ),
        (
            _touching("08_model_serving", online=()),
            ["08_model_serving serves, but does not bring 'customer_features' online"],
        ),
        (
            _touching("02_feature_engineering", writes=("action_features",)),
            [
                "03_model_training learns from 'customer_features', which no task of this bundle"
                " writes"
            ],
        ),
    ],
)
def test_deciding_agrees_with_learning(by_notebook, summaries: list[str]):
    assert _found(by_notebook) == summaries


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    """This bundle after a replacement in databricks.yml."""

    def change(old: str, new: str) -> Path:
        text = (ROOT / "databricks.yml").read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "databricks.yml").write_text(text.replace(old, new), encoding="utf-8")
        shutil.copytree(ROOT / "resources", tmp_path / "resources")
        for name in ("notebooks", "src", "dashboards"):
            (tmp_path / name).symlink_to(ROOT / name)
        return tmp_path

    return change


def test_a_model_that_misses_the_prefix_of_development(changed: Callable[..., Path]):
    root = changed(
        "${resources.registered_models.nba_model.id}", "${var.catalog}.${var.schema}.nba"
    )
    (summary,) = _found(root=root)
    assert summary.startswith(
        "model_name 'juan_dev.ml_nba_demo_dev.nba' is no registered model of target 'dev': jobs "
    )
    assert _found(root=root, target="prod") == []  # there it has no prefix


def test_every_setting_is_a_parameter_and_every_parameter_a_setting(changed: Callable[..., Path]):
    from nextbest.bundle import diagnose

    root = changed(
        '      - { name: endpoint, default: "nextbest-${bundle.target}${var.own}" }\n',
        '      - { name: end_point, default: "x" }\n',
    )
    _, found = diagnose(root, "dev", GIVEN, "ana")
    told = {item.summary.partition(" (")[0] for item in found}
    assert "task 'model_training' reads widget 'endpoint'" in told
    assert "no task of job 'training_job' reads parameter 'end_point'" in told
