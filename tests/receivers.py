"""Who alerts are told to, on loopback: a web hook and a mail server that can be in trouble."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

HANG, CUT, HALF = "hang", "cut", "half"  # no answer; a closed connection; half of an answer


@dataclass
class Hook:
    """Takes what is posted; `troubles` befall the first requests: a status, HANG, CUT or HALF."""

    troubles: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)  # of its answers
    asked: list = field(default_factory=list)  # (status or trouble, headers, body)
    arrived: object = None  # called for each request, before it is answered
    url: str = ""

    def taken(self):
        """Bodies that it answered with 2xx, by their id: as a receiver that takes each once."""
        return {head["webhook-id"]: body for status, head, body in self.asked if status == 200}

    def times(self):
        return Counter(head["webhook-id"] for status, head, _ in self.asked if status == 200)


@contextmanager
def hook(**config):
    """A web hook that listens."""
    one = Hook(**config)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hook": one}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    one.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/T0/aBcDeFgHiJkLmNoPqRsTuVwX"
    yield one
    server.shutdown()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hook: Hook

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        trouble = self.hook.troubles.pop(0) if self.hook.troubles else 200
        head = {name.lower(): text for name, text in self.headers.items()}
        self.hook.asked.append((trouble, head, body))
        if self.hook.arrived:
            self.hook.arrived()
        if trouble == HANG:
            time.sleep(1)
        if trouble == HALF:
            self.wfile.write(b"HTTP/1")
        if trouble in (HANG, CUT, HALF):
            return
        self.send_response(trouble)
        for name, text in self.hook.headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(b"said by the receiver")

    do_GET = do_POST  # where a redirect would lead

    def log_message(self, *args):
        """Quiet."""


class Mailbox:
    """Takes letters; `troubles` befall the first ones: an SMTP reply, or HANG.

    goodbye: what it answers to QUIT, or HANG or CUT.
    """

    def __init__(self, troubles=(), goodbye="221 bye"):
        self.letters, self.troubles, self.goodbye = [], list(troubles), goodbye

    async def handle_DATA(self, server, session, envelope):
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble == HANG:
            await asyncio.sleep(1)
        elif trouble:
            return trouble
        self.letters.append(envelope)
        return "250 taken"

    async def handle_QUIT(self, server, session, envelope):
        if self.goodbye == HANG:
            await asyncio.sleep(1)
        elif self.goodbye == CUT:
            server.transport.abort()
        return "221 bye" if self.goodbye in (HANG, CUT) else self.goodbye


class _OnAnyPort(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(box, folder, *, tls=True, password="", implicit=False):
    """(URL, file with the certificate of who signed its own) of a server that listens."""
    authority = trustme.CA()
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)

    def login(server, session, envelope, mechanism, data):
        right = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=right, handled=False)

    options = {"ssl_context": context} if implicit else {}
    if tls and not implicit:
        options |= {"tls_context": context, "require_starttls": True}
    if password:
        options |= {"authenticator": login, "auth_required": True,
                    "auth_require_tls": not implicit}  # fmt: skip
    control = _OnAnyPort(box, hostname="127.0.0.1", port=0, **options)
    control.start()
    yield f"{'smtps' if implicit else 'smtp'}://127.0.0.1:{control.port}", file
    control.stop()
