"""What a target replaces and what it merges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle import load

pytestmark = pytest.mark.unit

TEXT = """
bundle:
  name: b
  git: {branch: main}
run_as: {user_name: ana}
permissions:
  - {level: CAN_VIEW, group_name: all}
presets:
  tags: {a: root, b: root}
sync:
  paths: [src]
artifacts:
  wheel: {type: whl, build: make}
targets:
  dev:
    default: true
    run_as: {service_principal_name: robot}
    permissions:
      - {level: CAN_MANAGE, user_name: ana}
    presets:
      tags: {b: dev}
    sync:
      paths: [more]
    artifacts:
      wheel: {path: .}
    git: {branch: dev}
    bundle: {cluster_id: x}
"""


def test_override(write: Callable[..., Path]):
    config = load(write(**{"databricks.yml": TEXT})).config
    assert config["run_as"] == {"service_principal_name": "robot"}
    assert [item["level"] for item in config["permissions"]] == ["CAN_VIEW", "CAN_MANAGE"]
    assert config["presets"]["tags"] == {"a": "root", "b": "dev"}
    assert config["sync"]["paths"] == ["src", "more"]
    assert config["artifacts"]["wheel"] == {"type": "whl", "build": "make", "path": "."}
    assert config["bundle"]["git"]["branch"] == "dev"
    assert config["bundle"]["cluster_id"] == "x"
    assert config["bundle"]["target"] == "dev"
    assert "targets" not in config


def test_root_presets_reach_a_target_without_any(write: Callable[..., Path]):
    text = TEXT + "  prod: {}\n"
    config = load(write(**{"databricks.yml": text}), "prod").config
    assert config["presets"]["tags"] == {"a": "root", "b": "root"}
    assert config["run_as"] == {"user_name": "ana"}
