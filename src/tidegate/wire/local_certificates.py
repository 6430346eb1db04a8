"""What is shown to a client that speaks TLS: a certificate for the very name that it asks for, issued when it is first asked.

Only names that Tidegate answers get one, so that whoever trusts the authority is not fooled about the rest of the world. A
client that asks for another name, or for none, as one does that was given an address, gets a certificate of this machine:
what is wrong with it says more to people than the alert `unrecognized_name`, which event loops fail to send.

Not here: issuing (`authority`), the handshake (`tls`).
"""

from __future__ import annotations

import re
import ssl
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from tidegate.wire.authority import VALID, Authority

_OURS = re.compile(
    r"(?:[a-z0-9_-]+\.)+(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws|amazoncognito\.com)"  # as AWS's endpoints are called
    r"|(?:[a-z0-9_-]+\.)*localhost"
    r"|[a-z0-9_-]+"  # nobody's name on the internet: of a container, of a machine nearby
    r"|(?:[a-z0-9_-]+\.)+internal"
).fullmatch
_NAME_MAX = 253
_KEPT = 256
"""Contexts; clients choose the names, so the memory has a bound. One costs some 50 KB, and a millisecond to make."""
_RENEWED = VALID.total_seconds() / 2
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class LocalCertificates:
    """Implements `hub.Certificates`. `also`: further names that are answered here (in lower case)."""

    def __init__(self, authority: Authority, also: Callable[[str], bool]) -> None:
        self._authority = authority
        self._also = also
        self._contexts: OrderedDict[tuple[str, ...], tuple[float, ssl.SSLContext]] = OrderedDict()

    def __call__(self, local_address: str) -> ssl.SSLContext:
        """The context for a handshake; the name that the client asks for puts another in its place."""
        address = local_address.partition("%")[0]  # without an IPv6 zone
        own = _THIS_MACHINE if address in ("", *_THIS_MACHINE) else (*_THIS_MACHINE, address)
        return self._context(own)

    def _context(self, names: tuple[str, ...]) -> ssl.SSLContext:
        now = time.monotonic()
        made, context = self._contexts.get(names, (0.0, None))
        if context is None or now - made > _RENEWED:
            context = self._make(names)
            self._contexts[names] = now, context
            if len(self._contexts) > _KEPT:
                self._contexts.popitem(last=False)
        self._contexts.move_to_end(names)
        return context

    def _make(self, names: Sequence[str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = self._named
        # The ssl module reads from files only; this one is readable by nobody else, and gone at once.
        with tempfile.NamedTemporaryFile() as file:
            file.write(self._authority.issue(names))
            file.flush()
            context.load_cert_chain(file.name)
        return context

    def _named(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
        """OpenSSL has read the client's hello."""
        name = (name or "").lower().rstrip(".")
        if name not in ("", *_THIS_MACHINE) and len(name) <= _NAME_MAX and (_OURS(name) or self._also(name)):
            connection.context = self._context((name,))
