"""What past runs add up to."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from nextbest.commands.cost_plots import LEFT, durations
from nextbest.commands.cost_report import RunLine, report
from nextbest.commands.cost_words import cost_of, money, of_runs, total
from nextbest.platforms.run_history import History, PastRun, PastTask, Usage
from nextbest.runner.duration import span

pytestmark = pytest.mark.unit

UNTIL = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
SINCE = UNTIL - dt.timedelta(days=30)


def run(number, days_ago, state="SUCCEEDED", job="training", seconds=60.0, attempts=1):
    passed = None if state in ("", "SKIPPED") else state == "SUCCEEDED"
    start = UNTIL - dt.timedelta(days=days_ago)
    tasks = (PastTask("train", attempts, seconds), PastTask("check", 1, 1.0))
    return PastRun(str(number), job, start, seconds, state, passed, tasks)


def used(number, cost, days_ago=5, job="training", product="JOBS", sku="SKU"):
    return Usage((UNTIL - dt.timedelta(days=days_ago)).date(), product, sku, job, number, cost)


def added(runs, usage=(), currency="USD"):
    return report("prod", History(tuple(runs), tuple(usage), currency), SINCE, UNTIL)


def test_what_was_not_billed_yet_is_never_nothing():
    found = added([run(1, 5), run(2, 0.1)], [used("1", 2.0)])
    assert [(each.cost, each.billing) for each in found.runs] == [
        (2.0, "billed"),
        (None, "not billed yet"),
    ]
    (job,) = found.jobs
    assert (job.cost, job.cost_per_success, job.not_billed_yet) == (2.0, 2.0, 1)
    assert any("1 run not billed yet" in note for note in found.notes)
    assert cost_of(None, "not billed yet") == "not billed yet"


def test_without_any_bill_there_is_no_sum():
    found = added([run(1, 0.1)])
    assert (found.cost, found.jobs[0].cost, found.whole.cost_per_success) == (None, None, None)
    assert total(found) == "nothing billed yet"


def test_a_bill_that_may_grow_says_so():
    found = added([run(1, 0.5), run(2, 0.2, state="")], [used("1", 1.0), used("2", 0.5)])
    assert [each.billing for each in found.runs] == ["so far", "so far"]
    assert cost_of(1.0, "so far") == "1.00 so far"
    assert found.whole.cost_per_success is None  # which would be too low


def test_old_runs_without_usage_are_told_apart():
    found = added([run(1, 5), run(2, 5, job="lifecycle")], [used("1", 1.0)])
    assert found.runs[1].billing == "no usage"
    assert any("only start other jobs" in note for note in found.notes)


def test_usage_without_a_price_is_not_counted_and_told():
    found = added([run(1, 5)], [used("1", 1.0), used("1", None, sku="NEW")])
    assert (found.runs[0].cost, found.runs[0].billing) == (None, "no price")
    assert any(note.startswith("NEW has no list price in USD") for note in found.notes)


def test_runs_that_failed_cost_those_that_succeed():
    runs = [run(1, 5), run(2, 5, "FAILED"), run(3, 5, "SKIPPED"), run(4, 5, "TIMEDOUT")]
    found = added(runs, [used("1", 1.0), used("2", 2.0), used("4", 3.0)])
    (job,) = found.jobs
    assert (job.runs, job.failed, job.failed_share) == (3, 2, pytest.approx(2 / 3))
    assert job.cost_per_success == 6.0
    assert of_runs(found) == "3 runs ended, 2 failed (67%); 6.00 USD per run that succeeded"


def test_without_a_success_there_is_no_cost_per_success():
    assert added([run(1, 5, "FAILED")], [used("1", 1.0)]).jobs[0].cost_per_success is None


def test_tasks_are_told_slowest_first_with_their_retries():
    found = added([run(1, 5, seconds=10), run(2, 4, seconds=30, attempts=3)])
    assert [(each.task, each.median_seconds, each.retries) for each in found.tasks] == [
        ("train", 20.0, 2),
        ("check", 1.0, 0),
    ]


def test_tasks_that_wait_for_another_job_are_not_the_slowest():
    past = History((run(1, 5, job="[dev me] lifecycle"), run(2, 5)), (), "USD")
    found = report("dev", past, SINCE, UNTIL, waiting={("lifecycle", "train")})
    assert [(each.job, each.task) for each in found.tasks] == [
        ("training", "train"),
        ("[dev me] lifecycle", "check"),
        ("training", "check"),
    ]


def test_what_belongs_to_no_job_or_an_earlier_run_is_in_the_sum_and_told():
    serving = used(None, 3.0, job=None, product="MODEL_SERVING")
    found = added([run(1, 5)], [used("1", 1.0), used("0", 0.5), serving])
    assert found.cost == 4.5
    assert {(day.job, day.cost) for day in found.days} == {
        ("training", 1.5),
        ("(model serving)", 3.0),
    }
    assert found.whole.cost == 1.5
    assert any("0.50 USD are of runs that began before" in note for note in found.notes)


def test_here_nothing_is_billed():
    found = added([run(1, 5)], currency=None)
    assert (found.cost, found.runs[0].cost, found.runs[0].billing) == (None, None, "")
    assert total(found) == "not billed"
    assert "are not billed" in found.notes[0]


def test_a_run_without_an_end_has_no_duration():
    found = added([run(1, 5, seconds=None)])
    assert found.jobs[0].median_seconds is None
    assert [each.task for each in found.tasks] == ["check"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "—"), (0.04, "0.0 s"), (59.96, "1 min 00 s"), (61, "1 min 01 s"),
     (3599.7, "1 h 00 min"), (7380, "2 h 03 min")],
)  # fmt: skip
def test_spans(seconds, told):
    assert span(seconds) == told


def test_money():
    told = [money(each) for each in (None, 0.0, 0.0123, 1234.5, -0.5)]
    assert told == ["—", "0.00", "0.0123", "1,234.50", "-0.5000"]


def test_the_plot_begins_with_the_first_runs_day():
    begun = UNTIL.replace(hour=0, minute=1)
    line = RunLine("1", "a", begun, 60.0, "SUCCESS", True, None, "")
    drawn = durations([line], SINCE, UNTIL, {"a": "red"})
    assert LEFT <= float(re.search(r'<circle cx="([\d.]+)"', drawn)[1]) < LEFT + 20
