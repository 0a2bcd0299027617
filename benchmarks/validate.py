"""`dbb validate` against the least that any validation does: start Python, read the same YAML.

The peer is `python -c pass` plus parsing the same files (PyYAML's CSafeLoader, already imported).
Both sides run from compiled bytecode, in alternation, so that a busy moment meets both. Prints the
medians, the limit, the ratio (also with the import of PyYAML on the peer's side) and the peak
memory; exits 1 above the limit.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile

from fresh_python import ROOT, run

LIMIT = 6.0
REPETITIONS = 15
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
            where = {"PYTHONPYCACHEPREFIX": compiled}
            validated, passed = run(VALIDATE, **where), run("pass", **where)
            parsed = run(PARSE, *files, **where)
            if turn:  # the first one only compiles
                ours.append(validated.clock)
                started.append(passed.clock)
                parsing.append(parsed.clock)
                parse_only.append(float(parsed.printed))
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


if __name__ == "__main__":
    sys.exit(main())
