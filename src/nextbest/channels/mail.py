"""A message as an e-mail over SMTP, never without TLS but on this machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from nextbest.channels.declared import Channel
from nextbest.channels.trouble import Passing, Refused, of_connection
from nextbest.monitoring.messages import text_of

PORTS = {"smtp": 587, "smtps": 465}
_HERE = ("127.0.0.1", "::1", "localhost")


def letter(channel: Channel, number: str, sent: Mapping[str, Any]) -> EmailMessage:
    """The e-mail; the same number gives the same Message-ID, by which a mailbox takes it once."""
    mail = EmailMessage()
    mail["From"], mail["To"] = channel.sender, channel.to
    mail["Subject"] = " ".join(str(sent["title"]).split())
    mail["Message-ID"] = f"<{number}@nextbest.{channel.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    mail.set_content(text_of(sent))
    return mail


def mail(
    channel: Channel, number: str, sent: Mapping[str, Any], password: str, timeout: float
) -> None:
    """Hand it to the server; raises Refused or Passing, in words without the password.

    smtp:// begins TLS by STARTTLS, which a server on this machine may lack where nobody logs in;
    smtps:// is TLS from the start.
    """
    parts = urlsplit(channel.place)
    host = parts.hostname or ""
    try:
        port = parts.port or PORTS[parts.scheme]
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(
                host, port, timeout=timeout, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, port, timeout=timeout)
        try:
            if parts.scheme == "smtp":
                _begin_tls(server, host, bool(channel.user))
            if channel.user:
                server.login(channel.user, password)
            server.send_message(letter(channel, number, sent))
        finally:
            _part(server)
    except smtplib.SMTPResponseException as error:
        raise _answered(error.smtp_code) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise _answered(next(iter(error.recipients.values()))[0]) from None
    except smtplib.SMTPNotSupportedError:
        raise Refused("it offers no login, or no such letters") from None
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise of_connection(error) from None


def _begin_tls(server: smtplib.SMTP, host: str, logs_in: bool) -> None:
    server.ehlo_or_helo_if_needed()
    if server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
    elif host not in _HERE or logs_in:
        raise Refused("it offers no STARTTLS")


def _part(server: smtplib.SMTP) -> None:
    """Not `with server`: what was taken, or why not, stands however the server says goodbye."""
    for last in (server.quit, server.close):
        with suppress(OSError):  # SMTPException is one, too
            last()


def _answered(code: int) -> Refused | Passing:
    """By the first digit of its reply (RFC 5321, 4.2.1): 4 passes, 5 does not."""
    told = f"it answered {code}"
    return Passing(told) if 400 <= code < 500 else Refused(told)
