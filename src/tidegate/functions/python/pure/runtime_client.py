"""The module `runtime_client` that AWS's runtime client for Python speaks through, for interpreters for which there is
no compiled one. One connection, kept open; a request is one write. The interface is that of AWS's own (awslambdaric).
"""

from __future__ import annotations

import os
import socket

_BASE = "/2018-06-01/runtime/invocation/"
_agent = ""
_connection: _Connection | None = None


class _Connection:
    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = address
        self._rest = b""

    def request(
        self, method: str, path: str, fields: str = "", body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields, body."""
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: {_agent}\r\n{fields}{length}\r\n"
        self._socket.sendall(head.encode("utf-8") + (body or b""))
        return self._response()

    def _response(self) -> tuple[int, dict[str, str], bytes]:
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        lines = data[:end].decode("utf-8").split("\r\n")
        fields = {name: value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length, start = int(fields["Content-Length"]), end + 4
        parts = [data[start:]]
        missing = length - len(parts[0])
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        body = b"".join(parts)
        self._rest = body[length:]
        return int(lines[0].split(" ", 2)[1]), fields, body[:length]

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise RuntimeError("The Lambda Runtime API has closed the connection.")
        return data


def initialize_client(user_agent: str) -> None:
    global _agent
    _agent = user_agent


def _ask(method: str, path: str, fields: str = "", body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
    global _connection
    if _connection is None:
        _connection = _Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    return _connection.request(method, path, fields, body)


def next() -> tuple[bytes, dict[str, str]]:
    status, fields, body = _ask("GET", _BASE + "next")
    if status != 200:
        raise RuntimeError(f"Failed to get next event. Response code: {status}")
    return body, fields


def _post(path: str, content_type: str, body: bytes, fields: str = "") -> None:
    status, _, _ = _ask("POST", path, f"Content-Type: {content_type}\r\n{fields}", body)
    if status // 100 != 2:
        raise RuntimeError(f"Failed to post invocation response. Response code: {status}")


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str = "application/json", invocation_id: str | None = None
) -> None:
    # A result that is too large is answered 413, but is an end of the invocation all the same.
    status, _, _ = _ask("POST", f"{_BASE}{invoke_id}/response", f"Content-Type: {content_type}\r\n", result)
    if status // 100 != 2 and status != 413:
        raise RuntimeError(f"Failed to post invocation response. Response code: {status}")


def post_error(invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None) -> None:
    # X-Ray's cause is not sent on: nothing here reads it.
    _post(f"{_BASE}{invoke_id}/error", "application/json", error.encode("utf-8"))
