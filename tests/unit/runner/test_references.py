"""Dynamic value references, with their errors."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.errors import RunError
from nextbest.runner.references import Ended, Scope, substitute

pytestmark = pytest.mark.unit

SCOPE = Scope(
    job_id="job",
    job_name="The job",
    run_id="r1",
    start=dt.datetime(2026, 1, 31, 8, 5, 9, 250_000, tzinfo=dt.UTC),
    repair_count=2,
    trigger="onetime",
    parameters={"x": "1", "a b": "2"},
    task={"name": "t", "run_id": "r1.t.1", "execution_count": "1"},
    tasks={"done": Ended("SUCCESS", "r1.done.3", 3, {"n": 1.5, "deep": {"a": [True, None]}})},
    known_tasks=("done", "later"),
    input={"name": "n", "of": {"size": 3}},
    has_input=True,
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{{job.id}} {{job.name}} {{job.run_id}} {{job.repair_count}}", "job The job r1 2"),
        ("{{job.start_time.iso_datetime}}", "2026-01-31T08:05:09"),
        ("{{job.start_time.iso_weekday}}{{job.start_time.is_weekday}}", "6false"),
        ("{{job.start_time.hour}}:{{job.start_time.minute}}:{{job.start_time.second}}", "8:5:9"),
        ("{{job.start_time.timestamp_ms}}", "1769846709250"),
        ("{{job.trigger.type}} {{job.trigger.time.day}}", "onetime 31"),
        ("{{job.parameters.x}}{{job.parameters.`a b`}}", "12"),
        ("{{task.name}}/{{task.execution_count}}", "t/1"),
        ("{{tasks.done.values.n}} {{tasks.done.result_state}}", "1.5 success"),
        ("{{tasks.done.values.deep}}", '{"a": [true, null]}'),
        ("{{tasks.done.run_id}} {{tasks.done.execution_count}}", "r1.done.3 3"),
        ("{{input.name}} {{input.of.size}}", "n 3"),
        ("{{input}}", '{"name": "n", "of": {"size": 3}}'),
    ],
)  # fmt: skip
def test_substitutes(text, answer):
    assert substitute(text, SCOPE) == answer


@pytest.mark.parametrize("text", ["{{my.value}}", "{{jobs.id}}", "{{}}", "{job.id}", "{{job.id}"])
def test_what_is_no_known_reference_stays(text):
    assert substitute(text, SCOPE) == text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{{job.naem}}", "no valid reference here"),
        ("{{job}}", "no valid reference here"),
        ("{{job.parameters.y}}", "no parameter 'y'"),
        ("{{job.parameters.xx}}", "did you mean 'x'?"),
        ("{{job.start_time.iso_dat}}", "did you mean 'iso_date'?"),
        ("{{job.start_time}}", "needs one of"),
        ("{{job.trigger.file_arrival.location}}", "only type and time"),
        ("{{task.nam}}", "did you mean 'name'?"),
        ("{{tasks.donee.values.n}}", "did you mean 'done'?"),
        ("{{tasks.later.values.n}}", "has not ended; depend on it"),
        ("{{tasks.done.values.m}}", "set no value 'm'"),
        ("{{tasks.done.result}}", "result_state"),
        ("{{tasks.my-task.values.x}}", "backticks"),
        ("{{input.nome}}", "did you mean 'name'?"),
        ("{{input.name.x}}", "has no 'x'"),
        ("{{workspace.id}}", "on Databricks only"),
    ],
)
def test_refuses(text, complaint):
    with pytest.raises(RunError) as refused:
        substitute(text, SCOPE)
    assert complaint in str(refused.value)


@given(st.text(alphabet=st.characters(exclude_characters="{}")))
def test_text_without_braces_stays(text):
    assert substitute(text, SCOPE) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_a_value_comes_back_as_it_was_set(value):
    scope = replace(SCOPE, tasks={"t": Ended("SUCCESS", values={"v": value})}, known_tasks=("t",))
    text = substitute("{{tasks.t.values.v}}", scope)
    assert text == value if isinstance(value, str) else json.loads(text) == value
