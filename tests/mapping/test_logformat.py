"""Access-log formats: values, absent values, and what a client cannot do to a line."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.mapping.logformat import DEFAULT_FORMAT, LogFormat


def exchange(**given: Any) -> Any:
    values = {
        "request_id": "r-1", "extended_request_id": "e=", "request_time": "t", "status": 200, "response_length": 3,
        "response_latency": 7, "integration_latency": None, "full_path": "/prod/x", "source_ip": "1.2.3.4",
        "error_type": None, "user_agent": "curl", "absent": None,
        "stage": SimpleNamespace(api_id="api", name="prod", account="0", deployment_id="d"),
        "method": SimpleNamespace(resource_path="/x"), "request": SimpleNamespace(method="GET"), "verb": "GET",
    }  # fmt: skip
    return SimpleNamespace(**values | given)


def test_values_and_absent_ones() -> None:
    line = LogFormat(
        "$context.requestId $context.status {$context.integrationLatency} $context.wafResponseCode$context.no.such 100%s'''\\"
    )
    assert line.render(exchange()) == "r-1 200 {-} -- 100%s'''\\\n"


def test_the_default_format_is_json() -> None:
    assert json.loads(LogFormat(DEFAULT_FORMAT).render(exchange()))["path"] == "/prod/x"


@pytest.mark.parametrize("text", ["$context.status", "plain", ""])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="request"):
        LogFormat(text)


@given(st.text())
def test_a_client_cannot_break_the_line(hostile: str) -> None:
    line = LogFormat('{"id":"$context.requestId","agent":"$context.identity.userAgent"}').render(
        exchange(user_agent=hostile)
    )
    assert line.count("\n") == 1
    assert json.loads(line)["agent"] == hostile


@given(st.text(alphabet=st.characters(blacklist_characters="$\n", blacklist_categories=["Cs"])))
def test_literals_come_out_as_they_are(literal: str) -> None:
    assert LogFormat(literal + "$context.requestId").render(exchange()) == f"{literal}r-1\n"
