"""What costs seconds is imported by nobody who does not need it."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

HEAVY = ("pyspark", "mlflow", "sklearn", "pandas", "lightgbm", "matplotlib", "numpy", "pysail")


def loaded(code):
    """Heavy packages that are imported after `code`."""
    listing = f"import sys; print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{listing}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "code",
    [
        "import nextbest",
        "import nextbest.cli",
        "import nextbest.bundle",
        "import nextbest.runner.command",
        "import contextlib, nextbest.cli\n"
        "with contextlib.suppress(SystemExit): nextbest.cli.main(['--help'])",
        "import contextlib, nextbest.cli\n"
        "with contextlib.suppress(SystemExit): nextbest.cli.main(['run', '--help'])",
    ],
)
def test_nothing_heavy(code):
    assert loaded(code) == "[]"


def test_help_imports_nothing_but_what_is_declared():
    code = (
        "import contextlib, nextbest.cli\n"
        "with contextlib.suppress(SystemExit): nextbest.cli.main(['--help'])\n"
        "print([n for n in sys.modules if n.startswith(('nextbest.', 'yaml', 'rich'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True
    )
    imported = ast.literal_eval(done.stdout.splitlines()[-1])
    names = ("commands", "commands.declared", "commands.flags")
    declared = {f"nextbest.{name}" for name in names}
    assert set(imported) == {"nextbest.errors", "nextbest.cli", *declared}
    for word in (
        "validate",
        "run",
        "runs",
        "explain",
        "evaluate-policy",
        "compare-models",
        "deploy",
        "serve",
        "mlflow",
    ):
        assert word in done.stdout
