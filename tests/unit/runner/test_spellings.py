"""A secret is found however it was spelled by those who carried it further."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextbest.runner import secrets
from nextbest.runner.display import _TEXT, Printed, echoed

pytestmark = pytest.mark.unit

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=8, max_size=40)


def hidden(*values):
    return secrets.known({f"NEXTBEST_SECRET_S_{n}": value for n, value in enumerate(values)})


@given(SECRETS)
def test_every_way_of_writing(secret):
    for spelled in (
        secret, repr(secret)[1:-1], repr(secret.encode())[2:-1], json.dumps(secret)[1:-1],
        html.escape(secret),
        html.escape(json.dumps(secret)[1:-1]), quote(secret, ""), quote_plus(secret),
    ):  # fmt: skip
        assert secrets.redact(f"<{spelled}>", hidden(secret)) == "<[REDACTED]>"


@given(SECRETS, st.binary(max_size=4), st.binary(max_size=4))
def test_base64_of_something_longer(secret, before, after):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        clean = secrets.redact(text, hidden(secret))
        assert "[REDACTED]" in clean
        left = clean.replace("[REDACTED]", "")  # of the secret at most its outermost signs
        assert len(left) <= len(encode(before + after)) + 4


@given(st.integers(0, 30), st.integers(0, 30))
def test_no_cut_goes_through_a_secret(before, after):
    secret = "a secret of thirty characters!"
    printed = Printed(hidden(secret))
    printed.add("x" * (_TEXT - before) + secret)
    for _ in range(30):
        printed.add("y" * 10_000)
    printed.add(secret + "z" * (_TEXT - after))
    head, _, tail = printed.output()["data"].split("\n")
    assert set(head + tail) <= {*"xyz", *"[REDACTED]"}


def test_a_value_that_would_be_broken_into_lines():
    secret = "correct horse battery staple"
    value = {"k": ["many words " * 7 + secret]}
    assert secret not in echoed(value)["data"]  # it is broken: nobody would find it
    assert "correct horse" not in echoed(value, hidden(secret))["data"]


def test_what_counts_as_a_secret():
    environment = {
        "DATABRICKS_TOKEN": "abcdefgh", "ARM_CLIENT_SECRET": "ijklmnop", "X_API_KEY": "qrstuvwx",
        "PATH": "/usr/bin", "TOKEN": "true", "TOKENIZERS_PARALLELISM": "falsefalse",
        "DATABASE_URL": "postgresql://u:hunter2@h/db",
    }  # fmt: skip
    found = secrets.known(environment, ["jdbc:x;password=swordfish"])
    assert {"abcdefgh", "ijklmnop", "qrstuvwx", "hunter2", "swordfish"} <= set(found)
    assert not {"/usr/bin", "true", "falsefalse"} & set(found)
