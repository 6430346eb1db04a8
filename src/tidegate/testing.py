"""Rendering mapping templates by themselves: for unit tests of templates (`tidegate.pytest_plugin`) and `tidegate vtl render`.

What a template sees is what it sees in the gateway; only the request is made up. Not here: choosing a template, sending anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from tidegate.mapping.overrides import Overrides, places, response_overrides
from tidegate.mapping.velocity import variables_of
from tidegate.vtl import compile_template

SAMPLE_CONTEXT: dict[str, Any] = {
    "accountId": "000000000000",
    "apiId": "sample",
    "deploymentId": "sample",
    "domainName": "sample.execute-api.us-east-1.amazonaws.com",
    "domainPrefix": "sample",
    "extendedRequestId": "000000000000000=",
    "httpMethod": "POST",
    "identity": {"sourceIp": "127.0.0.1", "userAgent": "tidegate"},
    "path": "/prod/",
    "protocol": "HTTP/1.1",
    "requestId": "00000000-0000-4000-a000-000000000000",
    "requestTime": "01/Jan/2026:00:00:00 +0000",
    "requestTimeEpoch": 1767225600000,
    "resourceId": "sample",
    "resourcePath": "/",
    "stage": "prod",
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template's text, and what it overrode."""

    text: str
    overrides: Overrides
    """Of the backend's request."""
    status: str | None
    """Of the answer, when the template overrode it."""
    headers: Mapping[str, str]
    """Of the answer, which the template overrode."""

    @property
    def json(self) -> Any:
        """The text as JSON. Raises ValueError when it is none."""
        return json.loads(self.text)


def render(
    template: str,
    *,
    body: str | bytes = "",
    path: Mapping[str, str] | None = None,
    querystring: Mapping[str, str] | None = None,
    header: Mapping[str, str] | None = None,
    stage_variables: Mapping[str, str] | None = None,
    context: Mapping[str, Any] | None = None,
    name: str = "template",
) -> Rendered:
    """Render a mapping template. `context` is laid over a sample of `$context`; nested maps are merged.

    Raises tidegate.vtl.TemplateSyntaxError and TemplateError, both with line and column.
    """
    compiled = compile_template(template, name=name)
    made = places() | _merged(SAMPLE_CONTEXT, context or {})
    exchange = SimpleNamespace(
        template_context=made,
        template_parameters={
            "path": dict(path or {}),
            "querystring": dict(querystring or {}),
            "header": dict(header or {}),
        },
        stage=SimpleNamespace(variables=dict(stage_variables or {})),
    )
    payload = body.encode() if isinstance(body, str) else body
    text = compiled.render(variables_of(exchange, payload, compiled.roots))
    status, headers = response_overrides(made.get("responseOverride"))
    return Rendered(text, Overrides.of(made.get("requestOverride")), status, headers)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = {name: dict(value) if isinstance(value, Mapping) else value for name, value in under.items()}
    for name, value in over.items():
        known = merged.get(name)
        merged[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, Mapping) else value
    return merged
