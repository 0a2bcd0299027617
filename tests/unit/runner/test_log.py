"""Logs: what is kept, what is cut, what is blacked out."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.runner.log import Log, ends

pytestmark = pytest.mark.unit


def copy(path, chunks, hidden=(), **limits):
    read, write = os.pipe()
    log = Log(path, read, hidden, **limits)

    def feed():
        for chunk in chunks:
            os.write(write, chunk)
        os.close(write)

    thread = threading.Thread(target=feed)
    thread.start()
    log.close()
    thread.join()
    return path.read_bytes()


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8))
def test_keeps_everything_up_to_the_limit_then_both_ends(tmp_path_factory, chunks):
    text = b"".join(chunks)
    kept = copy(tmp_path_factory.mktemp("log") / "x", chunks, head=200, tail=100)
    if len(text) <= 300:
        assert kept == text
    else:
        note = b"\n[... %d bytes are left out here ...]\n" % (len(text) - 300)
        assert kept == text[:200] + note + text[-100:]


@given(st.lists(st.sampled_from([b"s3c", b"ret", b"s3cret", b"x", b"\n"]), max_size=12))
def test_no_secret_is_written_however_it_is_cut(tmp_path_factory, chunks):
    kept = copy(tmp_path_factory.mktemp("log") / "x", chunks, hidden=("s3cret",))
    assert kept == b"".join(chunks).replace(b"s3cret", b"[REDACTED]")


def test_a_second_process_appends(tmp_path):
    copy(tmp_path / "x", [b"one "])
    assert copy(tmp_path / "x", [b"two"]) == b"one two"


def test_ends_of_a_long_log(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a" * 10 + b"m" * 100 + b"z" * 10)
    assert ends(path, 10) == "a" * 10 + "\n\n[... 100 bytes: see the log ...]\n\n" + "z" * 10
    assert ends(path, 60) == path.read_text()


def test_a_full_disk_is_said_and_does_not_stop_the_copying(tmp_path):
    read, write = os.pipe()
    path = tmp_path / "x"
    path.symlink_to("/dev/full")
    log = Log(path, read, ())
    os.write(write, b"lost")
    os.close(write)
    log.close()
    assert "the log x is cut: No space left on device" in log.problem
