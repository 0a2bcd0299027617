"""Messages to real receivers on loopback: what is tried again, for how long, and what is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import logging
import time
from email import message_from_bytes
from email.policy import default
from email.utils import formatdate

import pytest
from receivers import CUT, HALF, HANG, Mailbox, hook, mail_server

from nextbest.channels.declared import read_channels
from nextbest.channels.sending import Patience, Sent, send
from nextbest.channels.webhook import body_of, signature
from nextbest.errors import PlatformError

pytestmark = pytest.mark.integration

QUICK = Patience(attempts=4, timeout=0.3, first=0.01, most=2.0)
MESSAGE = {
    "message_id": "m1",
    "model": "prod.nba.nba",
    "as_of": "2026-03-05",
    "severity": "critical",
    "title": "prod.nba.nba on 2026-03-05: critical, 1 of 1 findings are news",
    "lines": ["critical, new: a & b: population stability index 0.9, threshold 0.2"],
    "response": "retraining is started: drift starts training_job",
    "why": "features: a & b (41% of what explains the scores)",
    "advice": "retrain: features that the model leans on have left the training window",
    "risk": 63.2,
    "report": "/Volumes/prod/nba/landing/monitoring/2026-03-05.html",
    "run": "https://adb-1.azuredatabricks.net/jobs/7/runs/8",
}
FOLLOWS = [
    MESSAGE["response"],
    f"why, most likely: {MESSAGE['why']}",
    f"advice: {MESSAGE['advice']}",
    "risk: 63 of 100",
    f"report: {MESSAGE['report']}",
    f"run: {MESSAGE['run']}",
]
OLDER = {name: MESSAGE[name] for name in list(MESSAGE)[:7]}  # of an older version
KEY = "whsec_" + base64.b64encode(b"a key of some length").decode()
PASSWORD = "correct horse battery"


def to(text, **secrets):
    (channel,) = read_channels(text)
    told = {("alerts", name): value for name, value in secrets.items()}

    def secret(scope, key):
        if (scope, key) not in told:
            raise PlatformError(f"secret '{key}' of scope '{scope}' is not set")
        return told[scope, key]

    return send(channel, "d1", MESSAGE, secret, QUICK)


def to_hook(receiver):
    return to("webhook {{secrets/alerts/url}} signed {{secrets/alerts/key}}",
              url=receiver.url, key=KEY)  # fmt: skip


@pytest.mark.parametrize(
    "troubles",
    [[], [500], [503, 429], [408], [CUT], [HALF, HANG], [500, CUT, HANG]],
    ids=str,
)
def test_what_passes_is_tried_again_and_taken_once(troubles):
    with hook(troubles=list(troubles)) as receiver:
        assert to_hook(receiver) == Sent(len(troubles) + 1)
    ((number, body),) = receiver.taken().items()
    assert (number, json.loads(body)) == ("d1", MESSAGE)
    numbers = {(head["webhook-id"], head["idempotency-key"]) for _, head, _ in receiver.asked}
    assert numbers == {("d1", "d1")}


@pytest.mark.parametrize(
    ("troubles", "told"),
    [([500] * 9, "it answered 500"), ([429] * 9, "it answered 429"),
     ([HANG] * 9, "it did not answer in time"), ([CUT] * 9, "the connection failed")],
    ids=str,
)  # fmt: skip
def test_patience_ends_and_says_why(troubles, told):
    with hook(troubles=list(troubles)) as receiver:
        sent = to_hook(receiver)
    assert sent.attempts == len(receiver.asked) == QUICK.attempts
    assert told in sent.error


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 410])
def test_what_would_be_refused_again_is_tried_once_and_nowhere_else(status):
    with hook() as elsewhere, hook(troubles=[status], headers={"Location": elsewhere.url}) as first:
        assert to_hook(first) == Sent(1, f"it answered {status}")
    assert elsewhere.asked == []


def test_nobody_there_is_told():
    with hook() as gone:
        pass
    assert to_hook(gone) == Sent(QUICK.attempts, "nobody listens there")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_out(status, form):
    with hook(troubles=[status]) as receiver:
        later = formatdate(time.time() + 2, usegmt=True)
        receiver.headers["Retry-After"] = "1" if form == "seconds" else later
        begun = time.monotonic()
        assert to_hook(receiver) == Sent(2)
    assert time.monotonic() - begun > 0.9


def test_a_receiver_that_asks_for_an_hour_is_left_alone_until_the_next_run():
    with hook(troubles=[503], headers={"Retry-After": "3600"}) as receiver:
        assert to_hook(receiver) == Sent(1, "it answered 503 and asks to wait 3600 s")


def test_a_body_is_signed_as_the_standard_says():
    # The example of the specification's own tests (Svix).
    assert (
        signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                  1614265330, b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )  # fmt: skip
    with hook(troubles=[500]) as receiver:
        to_hook(receiver)
    for _, head, body in receiver.asked:
        signed = f"d1.{head['webhook-timestamp']}.".encode() + body
        digest = hmac.new(b"a key of some length", signed, hashlib.sha256).digest()
        assert head["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        assert abs(int(head["webhook-timestamp"]) - time.time()) < 60


@pytest.mark.parametrize("url", ["http://example.org/x", "file:///etc/passwd", "ops", "https://"])
def test_an_address_without_tls_is_refused_and_not_repeated(url):
    sent = to("slack {{secrets/alerts/url}}", url=url)
    assert sent == Sent(1, "its address is no https:// URL")


@pytest.mark.parametrize(
    ("url", "told"),
    [("https://[hooks.example/services/{}", "its address is no https:// URL"),
     ("https://hooks.example\u2100/{}", "its address is no https:// URL"),
     ("https://127.0.0.1:port/{}", "its address or a secret of it can't be used as it is written"),
     ("https://127.0.0.1/{} x\nx", "its address or a secret of it can't be used as it is written"),
     ("https://127.0.0.1/{}ä", "its address or a secret of it can't be used as it is written")],
)  # fmt: skip
def test_an_address_that_is_malformed_is_refused_without_its_text(url, told):
    assert to("slack {{secrets/alerts/url}}", url=url.format("KEYKEY")) == Sent(1, told)


@pytest.mark.parametrize("key", ["whsec_ä", "whsec_a", "whsec_\udcff", "\udcff"])
def test_a_signing_key_that_is_malformed_is_refused_without_its_text(key):
    with hook() as receiver:
        sent = to("webhook {{secrets/alerts/url}} signed {{secrets/alerts/key}}",
                  url=receiver.url, key=key)  # fmt: skip
    assert sent == Sent(1, "its signing key is not base64 after whsec_, or no text")
    assert receiver.asked == []


def test_slack_and_teams_get_their_own_forms():
    with hook() as slack, hook() as teams:
        assert to("slack {{secrets/alerts/url}}", url=slack.url).error == ""
        assert to("teams {{secrets/alerts/url}}", url=teams.url).error == ""
    (text,) = json.loads(slack.taken()["d1"]).values()
    assert text.startswith(f"{MESSAGE['title']}\n- critical, new: a &amp; b")
    assert text.split("\n")[2:] == [html.escape(line, quote=False) for line in FOLLOWS]
    (card,) = json.loads(teams.taken()["d1"])["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [block["text"] for block in card["content"]["body"]] == [
        MESSAGE["title"], *MESSAGE["lines"], *FOLLOWS
    ]  # fmt: skip
    assert card["content"]["actions"] == [  # a path is none that a button can open
        {"type": "Action.OpenUrl", "title": "run", "url": MESSAGE["run"]}
    ]
    assert body_of("webhook", MESSAGE) == json.dumps(MESSAGE, separators=(",", ":")).encode()


def test_a_message_of_an_older_version_is_sent_as_it_was():
    told = [MESSAGE["title"], *MESSAGE["lines"], MESSAGE["response"]]
    (card,) = json.loads(body_of("teams", OLDER))["attachments"]
    assert [block["text"] for block in card["content"]["body"]] == told
    assert "actions" not in card["content"]
    text = json.loads(body_of("slack", OLDER))["text"]
    assert html.unescape(text) == f"{told[0]}\n- {told[1]}\n{told[2]}"


def test_a_secret_that_is_not_there_is_named(tmp_path):
    assert to("slack {{secrets/alerts/url}}") == Sent(
        0, "secret 'url' of scope 'alerts' is not set"
    )


@pytest.fixture
def mailed(tmp_path, monkeypatch):
    """Send by a mail server: (troubles, options) → Sent, letters."""

    def run(troubles=(), secret=PASSWORD, trusted=True, goodbye="221 bye", **options):
        box = Mailbox(troubles, goodbye)
        with mail_server(box, tmp_path, **options) as (url, file):
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(file))
            login = " as nb {{secrets/alerts/smtp}}" if options.get("password") else ""
            sent = to(f"email to oncall@x.org from nb@x.org by {url}{login}", smtp=secret)
        return sent, box.letters

    return run


@pytest.mark.parametrize("implicit", [False, True])
def test_a_letter_goes_over_tls_after_a_login(mailed, implicit):
    sent, (letter,) = mailed(password=PASSWORD, implicit=implicit)
    assert sent == Sent(1)
    read = message_from_bytes(letter.content, policy=default)
    assert (read["To"], read["Message-ID"]) == ("oncall@x.org", "<d1@nextbest.x.org>")
    assert read["Subject"] == MESSAGE["title"]
    assert read.get_content().splitlines()[1:] == [f"- {MESSAGE['lines'][0]}", *FOLLOWS]


@pytest.mark.parametrize("troubles", [["451 later"], [HANG], ["421 busy", "452 full"]], ids=str)
def test_a_mail_server_in_trouble_is_tried_again(mailed, troubles):
    sent, letters = mailed(troubles)
    assert sent == Sent(len(troubles) + 1)
    ids = {message_from_bytes(each.content)["Message-ID"] for each in letters}
    assert ids == {"<d1@nextbest.x.org>"}


@pytest.mark.parametrize("goodbye", ["421 too long", "250 bye", "500 what", "bye", HANG, CUT])
@pytest.mark.parametrize("tls", [False, True])
def test_a_letter_that_was_taken_is_sent_once_however_the_server_says_goodbye(mailed, goodbye, tls):
    sent, letters = mailed(goodbye=goodbye, tls=tls)
    assert (sent, len(letters)) == (Sent(1), 1)


def test_a_goodbye_does_not_hide_why_a_letter_was_refused(mailed):
    assert mailed(["554 no"], goodbye="421 too long") == (Sent(1, "it answered 554"), [])


@pytest.mark.parametrize(
    ("told", "options"),
    [("it answered 554", {"troubles": ["554 no"]}),
     ("it answered 535", {"password": PASSWORD, "secret": "wrong"}),
     ("its address or a secret of it can't be used as it is written",
      {"password": PASSWORD, "secret": "schlüssel"}),
     ("its certificate is not trusted", {"trusted": False}),
     ("its certificate is not trusted", {"trusted": False, "implicit": True}),
     ("it offers no STARTTLS", {"tls": False, "password": PASSWORD})],
    ids=str,
)  # fmt: skip
def test_a_mail_server_that_refuses_is_asked_once(mailed, told, options):
    assert mailed(**options) == (Sent(1, told), [])


def test_nothing_is_logged_of_where_it_goes(caplog):
    caplog.set_level(logging.DEBUG)
    with hook(troubles=[500, CUT, 404]) as receiver:
        to_hook(receiver)
        to("log")
    assert "critical, new: a & b" in caplog.text
    assert all(line in caplog.text for line in FOLLOWS)
    assert "aBcDeFgHiJkLmNoPqRsTuVwX" not in caplog.text
