"""A real browser, where one is installed: what a page said on its console, how fast it opened."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
         "--enable-logging=stderr", "--log-level=0")  # fmt: skip
# Runs as the last thing of `load`: layout is forced, and what it took is told in the document.
_TIMER = """<script>addEventListener("load",()=>{const laid=document.body.offsetHeight;
const its=performance.getEntriesByType("navigation")[0];document.documentElement.dataset.timing=
JSON.stringify({parsed:its.domContentLoadedEventEnd,loaded:its.loadEventStart,
laid_out:performance.now(),height:laid})})</script></body>"""


def browser():
    """The program, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def run(page: Path, *flags: str) -> tuple[str, list[str]]:
    """What the browser printed, and every message on the page's console (errors are such)."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [browser(), *FLAGS, f"--user-data-dir={profile}", *flags, page.absolute().as_uri()],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


def timing(page: Path) -> dict[str, float]:
    """Milliseconds from the start of loading: parsed, loaded, laid_out."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        text = page.read_text(encoding="utf-8")
        copy.write_text(text.replace("</body>", _TIMER), encoding="utf-8")
        found = re.search(r'data-timing="([^"]*)"', run(copy, "--dump-dom")[0])
    return json.loads(html.unescape(found[1]))


def screenshot(page: Path, picture: Path, width: int, height: int, *, dark: bool = False) -> None:
    """Paint the page at this size, in one of the two colour schemes."""
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    run(page, *scheme, f"--window-size={width},{height}", f"--screenshot={picture.absolute()}")
