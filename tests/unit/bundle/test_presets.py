"""Presets: what a resource says itself is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nextbest.bundle import diagnose, load

pytestmark = pytest.mark.unit

TEXT = """
bundle: {name: b}
targets: {dev: {mode: development}}
resources:
  jobs:
    own:
      name: own
      tags: {dev: mine}
      max_concurrent_runs: 9
      schedule: {quartz_cron_expression: 0 0 8 * * ?, timezone_id: UTC, pause_status: UNPAUSED}
      tasks: [&task {task_key: a, condition_task: {op: EQUAL_TO, left: a, right: a}}]
    triggered:
      trigger: {periodic: {interval: 1, unit: DAYS}}
      tasks: [*task]
    endless:
      continuous: {}
      tasks: [*task]
  experiments:
    short: {name: short, tags: [{key: dev, value: mine}]}
  schemas:
    main: {catalog_name: dev, name: main}
  quality_monitors:
    kept:
      table_name: dev.main.a
      assets_dir: /a
      output_schema_name: dev.main
      schedule: {quartz_cron_expression: 0 0 8 * * ?, timezone_id: UTC, pause_status: UNPAUSED}
  alerts:
    late:
      display_name: late
      query_text: select 1
      warehouse_id: x
      evaluation: {comparison_operator: EQUAL, source: {name: a}}
      schedule: {quartz_cron_schedule: 0 0 8 * * ?, timezone_id: UTC}
"""


def test_what_is_written_wins(write: Callable[..., Path], user: str):
    resources = load(write(**{"databricks.yml": TEXT}), None, None, user).resources
    own, triggered, endless = resources["jobs"].values()
    assert own["tags"] == {"dev": "mine"}
    assert own["max_concurrent_runs"] == 9
    assert own["schedule"]["pause_status"] == "UNPAUSED"
    assert triggered["name"] == "[dev ana_diaz] Untitled"
    assert triggered["trigger"]["pause_status"] == "PAUSED"
    assert endless["continuous"] == {"pause_status": "PAUSED"}
    assert resources["experiments"]["short"]["name"] == "[dev ana_diaz] short"
    assert resources["experiments"]["short"]["tags"] == [{"key": "dev", "value": "mine"}]
    assert resources["schemas"]["main"]["name"] == "dev_ana_diaz_main"
    assert "schedule" in resources["quality_monitors"]["kept"]
    assert resources["alerts"]["late"]["display_name"] == "[dev ana_diaz] late"
    assert resources["alerts"]["late"]["schedule"]["pause_status"] == "PAUSED"


def test_a_prefixed_schema_is_not_where_the_jobs_write(write: Callable[..., Path], user: str):
    text = TEXT.replace(
        "targets:", "variables: {catalog: {default: dev}, schema: {default: main}}\ntargets:"
    )
    bundle, found = diagnose(write(**{"databricks.yml": text}), None, None, user)
    assert bundle is None
    assert [item.path for item in found] == ["resources.schemas.main.name"]
    assert "skip_name_prefix_for_schema" in found[0].fix


def test_production_needs_one_place_or_one_identity(write: Callable[..., Path], user: str):
    def findings(target: str) -> list[str]:
        text = f"bundle: {{name: b}}\ntargets: {{prod: {{mode: production{target}}}}}\n"
        _, found = diagnose(write(**{"databricks.yml": text}), None, None, user)
        return [item.summary for item in found]

    assert findings("") == ["mode: production needs workspace.root_path or run_as"]
    assert findings(", workspace: {root_path: /Shared/b}") == []
    assert findings(", run_as: {service_principal_name: robot}") == []
