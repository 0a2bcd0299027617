"""Dynamic value references."""

from __future__ import annotations

import pytest

from nextbest.bundle.dynamic import dynamic_references, unknown_part

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "job.id", "job.run_id", "job.name", "job.repair_count", "job.start_time.iso_date",
        "job.start_time.timestamp_ms", "job.parameters.x", "job.trigger.type", "task.name",
        "task.run_id", "task.execution_count", "tasks.t.values.k", "tasks.t.result_state",
        "tasks.t.output.rows", "tasks.`t`.values.k", "workspace.id", "input", "input.name",
    ],
)  # fmt: skip
def test_known(text: str):
    (steps,) = dynamic_references(f"<{{{{ {text} }}}}>")
    assert unknown_part(steps) is None


@pytest.mark.parametrize(
    "text",
    [
        "job", "job.", "job.idd", "job.id.x", "job.parameters", "job.parameters.", "task.values.k",
        "job.start_time", "job.start_time.week", "tasks", "tasks.t", "tasks.t.values",
        "tasks.t.values.", "tasks.t.state", "workspace.name",
    ],
)  # fmt: skip
def test_unknown(text: str):
    (steps,) = dynamic_references("{{" + text + "}}")
    assert unknown_part(steps) is not None


@pytest.mark.parametrize("text", ["{{other.id}}", "{job.id}", "{{}}", "{{job_id}}", "${job.id}"])
def test_left_alone(text: str):
    assert list(dynamic_references(text)) == []
