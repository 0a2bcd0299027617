"""How long the monitoring pages take to open in a real browser: 200 columns × 90 days, 100 slices.

The peer is an empty page in the same browser. Prints the milliseconds until each page was parsed,
loaded and laid out, the wall seconds from the start of the browser to a painted picture (those of
the empty page beside them), its size and the limit; exits 1 above it, 2 without a browser.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import browser, run, screenshot, timing
from metric_tables import index_of, metric_tables, report_of

from nextbest.monitoring.page_style import document

LIMIT = 3.0  # seconds
COLUMNS, DAYS, SLICES = 200, 90, 100


def main() -> int:
    """Measure and print; returns the exit code."""
    if browser() is None:
        print("no chromium here: apt-get install chromium")
        return 2
    tables = metric_tables(COLUMNS, DAYS, SLICES)
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "empty.html").write_text(document("empty", ""), encoding="utf-8")
        empty = painted(place / "empty.html")
        print(f"peer   an empty page      painted after {empty:.2f} s, with the browser's start")
        for name, make in (("report", report_of), ("index", index_of)):
            page = place / f"{name}.html"
            began = time.perf_counter()
            page.write_text(make(tables), encoding="utf-8")
            made = time.perf_counter() - began
            its, drawn, said = timing(page), painted(page), run(page, "--dump-dom")[1]
            print(
                f"ours   {name:<8} parsed {its['parsed']:5.0f} ms, loaded {its['loaded']:5.0f} ms, "
                f"laid out {its['laid_out']:5.0f} ms; painted after {drawn:.2f} s; "
                f"{page.stat().st_size / 1e6:.2f} MB, made in {made:.1f} s; "
                f"{len(said)} messages on the console"
            )
            opened = max(its["laid_out"] / 1000, drawn - empty)
            print(f"       opened in {opened:.2f} s, limit {LIMIT:g} s, ratio {opened / LIMIT:.2f}")
            missed = missed or opened > LIMIT or bool(said)
    return 1 if missed else 0


def painted(page: Path) -> float:
    """Seconds until a browser that is started for it has painted the page; the best of three."""
    found = []
    for _ in range(3):
        began = time.perf_counter()
        screenshot(page, page.with_suffix(".png"), 1200, 1000)
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    sys.exit(main())
