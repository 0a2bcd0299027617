"""Reading a bundle needs the standard library and PyYAML, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

CODE = """
import sys
from pathlib import Path
from nextbest.bundle import load
load(Path(sys.argv[1]), None, None, "ana")
others = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
print(" ".join(name for name in others if not name.startswith("_")))
"""


def test_nothing_else_is_imported(repository: Path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(repository)], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"nextbest", "yaml", "cython_runtime"}
