"""What dbb leaves to `databricks bundle`."""

from __future__ import annotations

import shlex

import pytest

pytestmark = pytest.mark.integration

JOBS = """
    main:
      name: main
      tasks:
        - task_key: a
          condition_task: {op: EQUAL_TO, left: a, right: a}
"""


@pytest.mark.parametrize(
    "words",
    [
        "summary --target prod --var x=1",
        "summary -o json",
    ],
)
def test_hands_over_with_arguments_and_exit_code(project, tmp_path, words):
    program = tmp_path / "bin" / "databricks"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "got: $*"\nexit 7\n')
    program.chmod(0o755)
    done = project(JOBS, {}, PATH=f"{program.parent}:/usr/bin:/bin").dbb(*shlex.split(words))
    assert (done.returncode, done.stdout) == (7, f"got: bundle {words}\n")


def test_says_how_to_get_the_program(project, tmp_path):
    done = project(JOBS, {}, PATH=str(tmp_path)).dbb("summary")
    assert done.returncode == 127
    assert done.stdout == ""
    assert "the 'databricks' program is not installed" in done.stderr
    assert "--local`, which needs none" in done.stderr
    assert len(done.stderr.splitlines()) == 1
