"""The pages in a real browser: nothing on the console, open in time, readable without a script."""

from __future__ import annotations

import pytest
from browser import browser, run, timing
from metric_tables import index_of, metric_tables, report_of

from nextbest.monitoring.page_style import document

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(browser() is None, reason="no chromium here"),
]
PAGES = {"report": report_of, "index": index_of}
SECONDS = 3.0


@pytest.fixture(params=PAGES)
def page(request, tmp_path):
    file = tmp_path / f"{request.param}.html"
    file.write_text(PAGES[request.param](metric_tables(200, 90, 50)), encoding="utf-8")
    return file


def test_nothing_on_the_console_and_open_in_time(page):
    assert run(page, "--dump-dom")[1] == []
    assert timing(page)["laid_out"] < SECONDS * 1000


def test_errors_would_be_seen(tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text(document("x", "<p>x</p>", "nothing()"), encoding="utf-8")
    assert "nothing is not defined" in str(run(broken, "--dump-dom")[1])
