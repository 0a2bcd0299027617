"""`dbb validate` against the least that any validation does: start Python, read the same YAML.

The peer is `python -c pass` plus parsing the same files (PyYAML's CSafeLoader, already imported).
Both sides run from compiled bytecode, in alternation, so that a busy moment meets both. Prints the
medians, the limit, the ratio (also with the import of PyYAML on the peer's side) and the peak
memory; exits 1 above the limit.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 6.0
REPETITIONS = 15
ROOT = Path(__file__).parents[1]
VALIDATE = "import sys; from nextbest.cli import main; sys.exit(main(['validate']))"
PARSE = """
import sys, time, yaml
start = time.perf_counter()
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        yaml.load(file, Loader=yaml.CSafeLoader)
print(time.perf_counter() - start)
"""


def main() -> int:
    """Measure and print; returns the exit code."""
    files = ["databricks.yml", *sorted(f"resources/{p.name}" for p in ROOT.glob("resources/*.yml"))]
    ours, started, parsing, parse_only = [], [], [], []
    with tempfile.TemporaryDirectory() as compiled:
        for turn in range(REPETITIONS + 1):
            validated, _ = run(compiled, VALIDATE)
            passed, _ = run(compiled, "pass")
            parsed, printed = run(compiled, PARSE, *files)
            if turn:  # the first one only compiles
                ours.append(validated)
                started.append(passed)
                parsing.append(parsed)
                parse_only.append(float(printed))
    validate, start, parse = map(statistics.median, (ours, started, parsing))
    peer = start + statistics.median(parse_only)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"ours   dbb validate                  {validate * 1000:6.1f} ms, peak {memory:.0f} MiB")
    print(
        f"peer   python -c pass + YAML parse   {peer * 1000:6.1f} ms (pass {start * 1000:.1f} ms)"
    )
    print(
        f"ratio  {validate / peer:.2f}, limit {LIMIT:g} "
        f"({validate / parse:.2f} when the peer has to import PyYAML, too)"
    )
    return 0 if validate / peer <= LIMIT else 1


def run(compiled: str, code: str, *arguments: str) -> tuple[float, str]:
    """Wall seconds of a fresh Python in the bundle's folder, and what it printed."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout


if __name__ == "__main__":
    sys.exit(main())
