"""`%sh` and `%pip`: commands of a notebook."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from nextbest.errors import RunError


def sh(script: str) -> None:
    """Run a script with bash; raises RunError with its exit code when it fails."""
    _run(["bash", "-c", script], "%sh")


def pip(arguments: str) -> None:
    """Run pip for the environment that the tasks run in."""
    folder, words = Path(sys.executable).parent, shlex.split(arguments)
    # Its own uv first: that nothing is missing it finds in milliseconds, pip in seconds.
    uv = shutil.which("uv", path=str(folder))
    if uv is None and importlib.util.find_spec("pip") is not None:
        _run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], "%pip")
        return
    uv = uv or shutil.which("uv")
    if uv is None:
        raise RunError(f"%pip needs pip or uv in {folder}: install one")
    _run([uv, "pip", *words, "--python", sys.executable], "%pip")


def _run(command: list[str], magic: str) -> None:
    """Copy what the command says to the page as it comes."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout:
            sys.stdout.write(line)
    if process.returncode:
        raise RunError(f"{magic} ended with code {process.returncode}: see what it printed above")
