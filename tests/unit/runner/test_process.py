"""Starting tasks from a process that holds a great many files."""

from __future__ import annotations

import os
import resource
from contextlib import closing, contextmanager

import pytest

from nextbest.runner.process import ForkServer

pytestmark = pytest.mark.integration


@contextmanager
def descriptors_above(number):
    """Every descriptor made in here is above `number`, as in a process with that many open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * number), hard))
    held = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while held[-1] <= number:
            held.append(os.dup(held[0]))
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_runs_where_descriptors_are_beyond_those_of_select(run_bundle, write_bundle):
    root = write_bundle(
        "        - {task_key: one, notebook_task: {notebook_path: one.py}}\n",
        {"one.py": "print('done')\n"},
    )
    with descriptors_above(1100), closing(ForkServer(["nextbest.runner.child"])) as server:
        record = run_bundle(root, server=server)
    assert record.state == "SUCCESS", record.error
