"""A name is mended only where no other can have been meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.bundle.diagnostics import near, respelled
from nextbest.bundle.graph import Edit, Location
from nextbest.bundle.spelling import nearest

pytestmark = pytest.mark.unit

FIELDS = ("max_retries", "max_concurrent_runs", "min_retry_interval_millis", "name", "tasks")
NAMES = st.text("abc_", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("max_retrys", FIELDS, "max_retries"),
        ("maxRetries", FIELDS, "max_retries"),
        ("max-retries", FIELDS, "max_retries"),
        ("nmae", FIELDS, "name"),
        ("max_concurent_runs", FIELDS, "max_concurrent_runs"),
        ("retries", FIELDS, None),  # too far
        ("load_c", ("load_a", "load_b"), None),  # equally near
        ("train1", ("train", "train2"), None),
        ("trainn", ("train", "training"), "train"),
        ("x", ("y",), None),  # a letter is no name to tell anything by
        ("name", ("name",), None),  # itself
        ("a_b", ("ab", "a-b"), None),
        ("anything", (), None),
    ],
)
def test_nearest(name: str, known: tuple[str, ...], meant: str | None):
    assert nearest(name, known) == meant


@given(name=NAMES, known=st.lists(NAMES, max_size=6))
def test_order_and_repetition_of_known_names_do_not_count(name: str, known: list[str]):
    meant = nearest(name, known)
    assert meant == nearest(name, [*reversed(known), *known])
    assert meant is None or (meant in known and meant != name)


def test_a_reader_is_told_more_than_a_machine_may_do():
    assert near("load_c", ("load_a", "load_b")) == "did you mean 'load_b'?"
    assert respelled("value", Location("a.yml", 1), "load_c", ("load_a", "load_b")) is None


def test_respelled_in_its_form():
    at = Location("a.yml", 3, 5)
    edit = respelled("value", at, "catlog", ("catalog", "schema"), "${var.*}")
    assert edit == Edit("value", at, "${var.catlog}", "${var.catalog}")
    assert respelled("value", None, "catlog", ("catalog",)) is None
