"""How channels are written: what is read, and what is refused with all of its parts."""

from __future__ import annotations

import pytest

from nextbest import credentials
from nextbest.channels.declared import Channel, read_channels, reference
from nextbest.errors import SettingsError

pytestmark = pytest.mark.unit

EMAIL = "from nb@x.org by smtp://mail.x.org:587 as nb {{secrets/alerts/smtp}}"
ALL = (
    f"log; email to a@x.org, b@x.org {EMAIL}; slack {{{{secrets/alerts/slack}}}};"
    " teams   {{ secrets/alerts/teams }};webhook https://ops.x.org/nb signed {{secrets/alerts/key}}"
)


def test_every_form_is_read_and_each_person_is_a_channel():
    assert read_channels(ALL) == (
        Channel("log", "log"),
        *(
            Channel("email", f"email to {who} {EMAIL}", "smtp://mail.x.org:587", who, "nb@x.org",
                    "nb", "{{secrets/alerts/smtp}}")
            for who in ("a@x.org", "b@x.org")
        ),
        Channel("slack", "slack {{secrets/alerts/slack}}", "{{secrets/alerts/slack}}"),
        Channel("teams", "teams {{ secrets/alerts/teams }}", "{{ secrets/alerts/teams }}"),
        Channel("webhook", "webhook https://ops.x.org/nb signed {{secrets/alerts/key}}",
                "https://ops.x.org/nb", secret="{{secrets/alerts/key}}"),
    )  # fmt: skip


def test_what_is_written_holds_no_credential():
    assert credentials.inside(ALL) == ()


def test_all_that_can_not_be_read_is_told():
    with pytest.raises(SettingsError) as raised:
        read_channels("log; pager 5; slack; email to me; log; email to a@x.org from b@x.org by x")
    for part in ("'pager 5'", "'slack'", "'email to me'", "by x'", "'log' twice", "'teams {{"):
        assert part in str(raised.value)


@pytest.mark.parametrize("text", ["", " ", ";", "log;", "none", "slack T0/B0"])
def test_nobody_at_all_is_no_choice(text):
    with pytest.raises(SettingsError, match="can't be read"):
        read_channels(text)


def test_a_reference_is_scope_and_key():
    assert reference("{{ secrets/ops/smtp-key }}") == ("ops", "smtp-key")
    assert reference("https://x.org") is None
