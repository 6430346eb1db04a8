"""The one answer that every contestant gives, and the check that it does. Does not measure anything."""

import http.client
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

BODY = b'{"id":1,"name":"Biscuit","type":"dog","price":249.99,"tags":["friendly","vaccinated"],"status":"available"}'
"""What the upstream, the MOCK method and the Lambda function all answer, with status 200."""


class WrongAnswer(Exception):
    """A contestant did not answer as all the others do; the message says what it answered."""


def fetch(url: str, headers: Mapping[str, str], timeout: float = 5.0) -> tuple[int, bytes]:
    """Status and body of one GET on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/", headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def check(url: str, headers: Mapping[str, str], patience: float = 0.0) -> None:
    """Raise WrongAnswer unless the URL answers 200 with BODY, trying again for `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            status, body = fetch(url, headers)
            seen = f"answered {status} {body[:200]!r}"
            if (status, body) == (200, BODY):
                return
        except (OSError, http.client.HTTPException) as error:
            seen = f"did not answer: {error!r}"
        if time.monotonic() >= deadline:
            raise WrongAnswer(seen)
        time.sleep(0.05)
