"""What `dbb compare-models` prints and writes; its page in a real browser."""

from __future__ import annotations

import csv
import dataclasses
import html.parser
import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import two_versions as made

from nextbest.commands.compare_export import CSV_HEAD, as_csv, as_json, as_markdown, write
from nextbest.commands.compare_page import page
from nextbest.commands.compare_text import as_text
from nextbest.errors import PlatformError
from nextbest.lifecycle.compared_rows import Dataset, newest
from nextbest.lifecycle.comparing import Asked, compare_on
from nextbest.settings import Settings

pytestmark = pytest.mark.integration

METRICS = ("value", "auc", "log_loss", "brier", "capture", "calibration_error")
SETTINGS = {
    "platform": "local", "catalog": "prod", "schema": "ml_nba_demo", "volume": "landing",
    "use_case": "nba", "source": "simulated", "mapping": "none", "campaign": "all", "seed": "5",
    "endpoint": "e", "model_name": "prod.ml_nba_demo.nba", "experiment": "/e",
    "as_of": "2026-03-01", "customers": "200", "history_days": "10", "decisions_per_day": "20",
    "attribution_days": "3", "holdout_share": "0.4", "exploration": "0.3", "control_share": "0.1",
    "confidence": "0.95", "min_lift": "0", "min_ess": "100",
    "max_contact_growth": "0.1", "monitor_slices": "channel",
    "release_to": "champion",
    "drift": "none", "drift_threshold": "0.2",
    "drift_windows": "3 of 4", "drift_from": "live", "exploration_floor": "0",
    "temperature": "0", "thompson_draws": "0", "max_rejected_share": "0.02",
    "eligibility_share": "0", "contact_policy": "none", "channel_capacity": "none",
    "daily_budget": "none", "model_version": "candidate", "retrain_cooldown_days": "3",
    "retrain_cap": "5", "retrain_window_days": "30", "alert_channels": "log",
    "alert_reminder_days": "7", "profiling": "own",
}  # fmt: skip
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def found():
    sets = [Dataset("holdout", made.decisions(4_000)),
            Dataset("<i>mine</i>", made.decisions(300, seed=9), "7 left out")]  # fmt: skip
    versions = made.named("1"), made.named("2", "<script>alert(1)</script>")
    return compare_on(
        sets, Settings.parse(SETTINGS), versions,
        (made.decider(noise=2.0, seed=1), made.decider(version="2")), Asked(METRICS),
    )  # fmt: skip


def test_the_better_version_is_recommended(found):
    assert found.recommendation.action == "promote"
    told = as_text(found, detailed=False, advice=True)
    assert "recommendation: promote" in told
    assert "recommendation" not in as_text(found, detailed=False, advice=False)
    assert re.search(r"value +\d.*better", told)


def test_details_hold_checks_effects_and_slices(found):
    told = as_text(found, detailed=True, advice=False)
    for part in ("sign-flip permutation", "Wilcoxon over days", "BCa bootstrap", "Cohen's d_z",
                 "McNemar", "DeLong", "odds ratio", "segment loyal", "furthest apart",
                 "an A/B test of the lift found here", "7 left out"):  # fmt: skip
        assert part in told, part


def test_json_is_whole_and_plain(found):
    told = json.loads(as_json(found), parse_constant=pytest.fail)
    assert told["recommendation"]["action"] == "promote"
    first = told["datasets"][0]
    value = first["compared"][0]
    assert value["metric"] == "value"
    assert value["difference"]["low"] == found.parts[0].compared[0].difference.low
    assert value["adjusted_p"] >= value["test"]["p_value"]
    assert first["power"]["n"] == 4_000
    assert set(first["calibration"]) == {"response", "purchase"}
    assert [each["name"] for each in told["datasets"]] == ["holdout", "<i>mine</i>"]


def test_csv_has_a_row_for_each_measure_and_slice(found):
    rows = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert tuple(rows[0]) == CSV_HEAD
    assert len(rows) == sum(len(part.compared) + len(part.slices) for part in found.parts)
    assert float(rows[0]["difference"]) == found.parts[0].compared[0].difference.value


def test_markdown_leads_with_the_recommendation(found):
    told = as_markdown(found)
    assert "**promote**" in told
    assert told.count("| value |") == 2


def test_exports_by_suffix(found, tmp_path):
    for suffix, begins in ((".json", "{"), (".csv", "dataset"), (".md", "# "), (".html", "<!d")):
        path = tmp_path / f"told{suffix.upper()}"
        write(found, path)
        assert path.read_text().startswith(begins)
    with pytest.raises(PlatformError, match="can't be written"):
        write(found, tmp_path / "no" / "told.csv")


def test_the_primary_measure_is_corrected_by_itself(found):
    leads = [part.compared[0] for part in found.parts]
    assert all(each.adjusted <= min(1.0, 2 * each.test.p_value) for each in leads)
    others = [each for part in found.parts for each in part.compared[1:]]
    least = min(others, key=lambda each: each.test.p_value)
    assert least.adjusted == pytest.approx(min(1.0, least.test.p_value * len(others)))


class Elements(html.parser.HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs
                       if name in ("src", "href", "xlink:href", "action")]  # fmt: skip


def test_the_page_needs_nothing_but_itself(found):
    text = page(found)
    told = Elements()
    told.feed(text)
    assert not {"script", "iframe", "link", "img", "object"} & set(told.tags)
    assert not told.links
    assert not re.search(r"url\(|@import|https?://", text)
    assert told.tags.count("svg") >= 2 * 6
    assert "<i>mine" not in text
    assert "&lt;b&gt;rare" in text or "<b>rare" not in text
    assert "prefers-color-scheme:dark" in text


MEASURE = """<script>
const seen = [...document.querySelectorAll("svg")].map(svg => {
  const box = svg.getBoundingClientRect();
  const marks = [...svg.querySelectorAll("circle,rect,polyline,line")];
  const inside = marks.filter(mark => {
    const its = mark.getBoundingClientRect();
    return its.left >= box.left - 1 && its.right <= box.right + 1 && its.top >= box.top - 1;
  });
  return {name: svg.getAttribute("aria-label"), width: box.width, height: box.height,
          marks: marks.length, inside: inside.length};
});
document.body.innerHTML = "<pre>" + JSON.stringify(seen) + "</pre>";
</script>"""


def browse(path):
    """The page's document after its scripts, and what it wrote to the console."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         "--window-size=1100,2000", f"--user-data-dir={path.parent / 'profile'}", "--dump-dom",
         path.as_uri()],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


@pytest.mark.slow
def test_a_browser_shows_every_plot_and_no_error(found, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page(found), encoding="utf-8")
    document, console = browse(path)
    assert console == []
    assert "Two versions on the same decisions" in document
    measured = tmp_path / "measured.html"
    measured.write_text(page(found).replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    document, console = browse(measured)
    assert console == []
    seen = json.loads(re.search(r"<pre>(.*)</pre>", document)[1])
    names = {each["name"] for each in seen}
    assert {"differences", "value by slice", "calibration of response", "exchanges",
            "distance by segment", "chance to see a true lift"} <= names  # fmt: skip
    for each in seen:
        assert each["width"] > 200, each
        assert each["height"] > 50, each
        assert each["marks"] == each["inside"] > 0, each


@pytest.mark.slow
def test_a_broken_page_would_be_seen(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<body><script>nothing.there()</script></body>")
    _, console = browse(path)
    assert "nothing is not defined" in " ".join(console)


def test_versions_that_decide_alike_are_told_so(found):
    same = compare_on(
        [Dataset("holdout", made.decisions(500))], Settings.parse(SETTINGS),
        (made.named("1"), made.named("2")), (made.decider(), made.decider(version="2")),
        Asked(("value", "auc")),
    )  # fmt: skip
    assert same.recommendation.action == "keep"
    assert "both decide alike" in same.recommendation.reasons[0]
    assert page(same).count("<svg") >= 3
    assert json.loads(as_json(same))["datasets"][0]["agreement"]["share"] == 1.0


def test_outcomes_that_contradict_the_first_lately_are_a_doubt():
    rows = made.decisions(4_000)
    rare = np.random.default_rng(1).random(len(rows)) < 0.1
    lately = rows.assign(response=rows["response"].where(~newest(rows) | rare, 0.0))

    def doubts(rows):
        part = compare_on(
            [Dataset("holdout", rows)], Settings.parse(SETTINGS),
            (made.named("1"), made.named("2")), (made.decider(), made.decider(version="2")),
            Asked(("value",)),
        ).parts[0]  # fmt: skip
        return " ".join(part.doubts)

    assert "events came where" in doubts(lately)
    assert "compare again with --datasets newest" in doubts(lately)
    assert "world has moved" not in doubts(rows)


def test_where_the_first_measure_cannot_be_told_nothing_is_recommended():
    rows = made.decisions(4_000)
    rows.loc[7, "value"] = None
    found = compare_on(
        [Dataset("holdout", rows)], Settings.parse(SETTINGS), (made.named("1"), made.named("2")),
        (made.decider(noise=2.0, seed=1), made.decider(version="2")), Asked(("value", "auc")),
    )  # fmt: skip
    assert found.recommendation.action == "gather more evidence"
    assert "not told: value" in found.recommendation.reasons[0]


def test_what_could_not_be_told_stands_there(found):
    none = made.decisions(400).assign(response=0.0)
    part = compare_on(
        [Dataset("holdout", none)], Settings.parse(SETTINGS),
        (made.named("1"), made.named("2")),
        (made.decider(noise=1.0, seed=1), made.decider(version="2")), Asked(("value", "auc")),
    )  # fmt: skip
    assert "not told: auc (response): auc: 0 successes" in as_text(
        part, detailed=False, advice=False
    )
    assert "Not told: auc (response)" in page(part)
    assert dataclasses.asdict(part.parts[0].failed[0])["name"] == "auc (response)"
