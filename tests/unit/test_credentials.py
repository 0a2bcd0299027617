"""Credentials inside of other texts."""

from __future__ import annotations

import pytest

from nextbest.credentials import inside

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("jdbc:sqlserver://h:1433;user=u;password=hunter2;encrypt=true", "hunter2"),
        ("postgresql://user:hun%24ter@host/db", "hun$ter"),
        ("https://h/x?sv=1&sig=a%2Fb&se=2", "a%2Fb"),
        ('{"client_secret": "hunter2"}', "hunter2"),
        ("Authorization: Bearer abc123def456", "abc123def456"),
        ("https://acme.webhook.office.com/webhookb2/1/2", "webhookb2/1/2"),
        ("https://hooks.slack.com/services/T0/B0/0123456789abcdefghij", "0123456789abcdefghij"),
        ("see dapi" + "0a" * 16 + ".", "dapi" + "0a" * 16),
    ],
)
def test_found_without_what_surrounds_them(text, found):
    assert found in inside(text)


@pytest.mark.parametrize(
    "text",
    [
        "simulated", "juan_dev.schema.table", "/Volumes/a/b/landing/log.csv", "s3://bucket/a=1/",
        "call=1000; sms=5000", "at most 3 in 7 days per customer", "https://host:8443/path",
        "/Users/ana@acme.com/[dev ana] nextbest-dev", "{{job.start_time.iso_date}}",
        "password=none", "http://127.0.0.1:5000", "TOKENIZERS_PARALLELISM",
    ],
)  # fmt: skip
def test_ordinary_settings_hold_none(text):
    assert inside(text) == ()
