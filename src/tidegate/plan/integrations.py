"""Compiling integrations: from the declaration to the node that the gateway runs.

Source: *Choose an API Gateway API integration type*; shared facts, rest-data-plane §12.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson

from tidegate.core.arns import execute_api_arn
from tidegate.core.errors import Problem
from tidegate.core.message import ClientIdentity, Origin
from tidegate.definition.records import Integration, IntegrationResponse, Method
from tidegate.mapping.parameters import Source, request_source, response_source
from tidegate.plan.nodes import (
    BrokenPlan,
    HttpProxyPlan,
    IntegrationPlan,
    LambdaProxyPlan,
    MockAnswer,
    MockPlan,
    RawLabel,
)

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
_PLACEHOLDER = re.compile(r"\{([a-zA-Z0-9._$-]+)\+?\}")
_FUNCTION = re.compile(
    r"arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2015-03-31/functions/"
    r"(arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)/invocations"
)
# AWS: headers that a mapping may not set; such a request fails with 500 (shared facts, rest-data-plane §5).
_FORBIDDEN_TARGETS = frozenset({"content-length", "transfer-encoding"})
_FORBIDDEN_AWS_TARGETS = _FORBIDDEN_TARGETS | {"authorization", "connection", "expect", "proxy-authenticate", "te"}
# AWS: dropped on the way to a backend, whoever set them.
_DROPPED_TARGETS = frozenset({"connection", "expect", "te", "trailer", "upgrade", "proxy-authenticate", "max-forwards"})
# AWS: a response mapping to these surfaces under another name [rec].
_REMAPPED_TARGETS = frozenset({"expect", "host", "proxy-authenticate", "trailer", "upgrade"})
_NOT_IN_URI = re.compile(r"[\x00-\x20\x7f#]")


@dataclass(slots=True)
class IntegrationCompiler:
    """Compiles the integrations of one stage; gathers what is wrong in `problems`."""

    api_id: str
    stage_name: str
    account: str
    region: str
    variables: Mapping[str, str]
    certificate: ClientIdentity | None = None
    problems: list[Problem] = field(default_factory=list)

    def compile(self, method: Method, resource_path: str, pointer: str) -> IntegrationPlan:
        integration = method.method_integration
        if integration is None:
            self.problems.append(Problem(pointer, "No integration defined for method"))
            return BrokenPlan("no integration")
        if forbidden := _forbidden_target(integration):
            return BrokenPlan(f"the header {forbidden} can not be mapped")
        if integration.type == "MOCK":
            return self._mock(method, integration, pointer)
        try:
            uri = _STAGE_VARIABLE.sub(lambda found: self.variables[found[1]], integration.uri or "")
        except KeyError as missing:
            # AWS: a stage variable that is not set makes every call fail with 500, not the deployment.
            return BrokenPlan(f"Invalid endpoint address: stage variable {missing.args[0]} is not set")
        if integration.type == "HTTP_PROXY":
            return self._http_proxy(integration, uri, pointer)
        if integration.type == "AWS_PROXY":
            return self._lambda_proxy(method, integration, uri, resource_path, pointer)
        return BrokenPlan(f"integration type {integration.type}")

    def _mock(self, method: Method, integration: Integration, pointer: str) -> IntegrationPlan:
        templates = integration.request_templates or {}
        by_type = {
            name.lower(): self._mock_answer(method, integration, _status_of(text), pointer)
            for name, text in templates.items()
        }
        behavior = integration.passthrough_behavior
        refused = behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates)
        otherwise = None if refused else self._mock_answer(method, integration, "", pointer)
        return MockPlan(by_type, otherwise)

    def _mock_answer(
        self, method: Method, integration: Integration, status: str | None, pointer: str
    ) -> MockAnswer | BrokenPlan:
        """`status`: what the request template gave; empty: the body was passed through, None: it gave none."""
        if status is None:
            return BrokenPlan("the request template of the MOCK integration gives no statusCode")
        chosen = _select(list((integration.integration_responses or {}).values()), status)
        if chosen is None:
            return BrokenPlan(f"no integration response matches status {status}")
        if chosen.status_code not in (method.method_responses or {}):
            return BrokenPlan(f"Output mapping refers to an invalid method response: {chosen.status_code}")
        headers = []
        for target, expression in (chosen.response_parameters or {}).items():
            source = self._source(expression, f"{pointer}/responses/{chosen.status_code}", response=True)
            name = target.removeprefix("method.response.header.")
            if source is not None:
                headers.append((f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED_TARGETS else name, source))
        bodies = tuple(
            (name.lower(), (text or "").encode()) for name, text in (chosen.response_templates or {}).items()
        )
        return MockAnswer(int(chosen.status_code), tuple((name.encode(), source) for name, source in headers), bodies)

    def _http_proxy(self, integration: Integration, uri: str, pointer: str) -> IntegrationPlan:
        verify = not (integration.tls_config and integration.tls_config.insecure_skip_verification)
        if _NOT_IN_URI.search(uri):
            return BrokenPlan(f"Invalid endpoint address: {uri!r}")
        origin = _origin(uri, verify=verify, identity=self.certificate)
        if origin is None:
            self.problems.append(Problem(f"{pointer}/uri", "Invalid HTTP endpoint specified for URI"))
            return BrokenPlan("invalid URI")
        mapped = self._mapped(integration, pointer)
        rest = re.sub(r"^https?://[^/?]*", "", uri)
        path, _, query = rest.partition("?")
        labels: dict[str, RawLabel | Source] = {**dict(mapped["path"]), **_raw_labels(integration)}
        headers = [(name, source) for name, source in mapped["header"] if name.lower() not in _DROPPED_TARGETS]
        overridden = frozenset(name.lower().encode() for name, _ in headers)
        host = "" if b"host" in overridden else f"Host: {origin.authority}\r\n"
        verb = integration.http_method or "ANY"
        return HttpProxyPlan(
            origin=origin,
            verb=None if verb == "ANY" else verb.encode(),
            path=self._path(path or "/", labels, pointer),
            query=query.encode(),
            query_sources=tuple((name.encode(), source) for name, source in mapped["querystring"]),
            header_sources=tuple((name.encode(), source) for name, source in headers),
            overridden=overridden,
            head=f" HTTP/1.1\r\n{host}x-amzn-apigateway-api-id: {self.api_id}\r\n".encode(),
            traced=b"x-amzn-trace-id" not in overridden,
            user_agent=f"User-Agent: AmazonAPIGateway_{self.api_id}\r\n".encode(),
            maps_user_agent=b"user-agent" in overridden,
            timeout=integration.timeout_in_millis / 1000,
        )

    def _path(
        self, path: str, labels: dict[str, RawLabel | Source], pointer: str
    ) -> tuple[bytes | RawLabel | Source, ...]:
        parts: list[bytes | RawLabel | Source] = []
        end = 0
        for found in _PLACEHOLDER.finditer(path):
            parts.append(path[end : found.start()].encode())
            source = labels.get(found[1])
            if source is None:
                self.problems.append(Problem(f"{pointer}/uri", f"the placeholder {found[0]} is not mapped"))
            else:
                parts.append(source)
            end = found.end()
        return tuple(part for part in (*parts, path[end:].encode()) if part != b"")

    def _lambda_proxy(
        self, method: Method, integration: Integration, uri: str, resource_path: str, pointer: str
    ) -> IntegrationPlan:
        found = _FUNCTION.fullmatch(uri)
        if found is None:
            self.problems.append(
                Problem(
                    f"{pointer}/uri",
                    "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
                    f"invocations; Tidegate takes the former: {uri}",
                )
            )
            return BrokenPlan("invalid function URI")
        if integration.http_method != "POST":
            # AWS: functions are invoked with POST; another verb is accepted and fails on every call.
            return BrokenPlan("a Lambda integration needs integrationHttpMethod POST")
        # AWS: path parameters appear as `*` in the source ARN (shared facts, lambda §8).
        path = _PLACEHOLDER.sub("*", resource_path)
        before = execute_api_arn(self.region, self.account, self.api_id, f"{self.stage_name}/")
        return LambdaProxyPlan(
            function_arn=found[1],
            source_arn=(before, path),
            by_policy=integration.credentials is None,
            timeout=integration.timeout_in_millis / 1000,
        )

    def _mapped(self, integration: Integration, pointer: str) -> dict[str, list[tuple[str, Source]]]:
        """Request parameters by where they go: path, querystring, header."""
        mapped: dict[str, list[tuple[str, Source]]] = {"path": [], "querystring": [], "header": []}
        for target, expression in (integration.request_parameters or {}).items():
            where, _, name = target.removeprefix("integration.request.").partition(".")
            at = f"{pointer}/requestParameters/{target}"
            source = self._source(expression, at, response=False)
            if where not in mapped or not name:
                self.problems.append(Problem(at, f"Invalid mapping expression specified: {target}"))
            elif source is not None:
                mapped[where].append((name, source))
        return mapped

    def _source(self, expression: str, pointer: str, *, response: bool) -> Source | None:
        try:
            return (response_source if response else request_source)(expression, self.variables)
        except ValueError as error:
            self.problems.append(Problem(pointer, str(error)))
            return None


def _raw_labels(integration: Integration) -> dict[str, RawLabel]:
    """The placeholders that are fed by a path parameter of the request."""
    prefix, source = "integration.request.path.", "method.request.path."
    return {
        target.removeprefix(prefix): RawLabel(expression.removeprefix(source))
        for target, expression in (integration.request_parameters or {}).items()
        if target.startswith(prefix) and expression.startswith(source)
    }


def _origin(uri: str, *, verify: bool, identity: ClientIdentity | None) -> Origin | None:
    parts = urlsplit(uri)
    try:
        port = parts.port
    except ValueError:
        return None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or re.search(r"[\s{}]", parts.netloc)
    ):
        return None
    if parts.scheme == "http":
        return Origin("http", parts.hostname, port or 80, verify)
    return Origin("https", parts.hostname, port or 443, verify, identity)


def _forbidden_target(integration: Integration) -> str | None:
    forbidden = _FORBIDDEN_AWS_TARGETS if integration.type.startswith("AWS") else _FORBIDDEN_TARGETS
    for target in integration.request_parameters or {}:
        name = target.removeprefix("integration.request.header.")
        if name != target and name.lower() in forbidden:
            return name
    return None


def _status_of(template: str | None) -> str | None:
    """The statusCode that a constant request template gives."""
    # AWS: an unquoted key is tolerated, `{statusCode: 200}` (shared facts, rest-data-plane §12.2).
    text = re.sub(r"([{,]\s*)([A-Za-z_]\w*)(\s*:)", r'\1"\2"\3', template or "")
    try:
        status = orjson.loads(text).get("statusCode")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return None if status is None else str(status)


def _select(responses: list[IntegrationResponse], status: str) -> IntegrationResponse | None:
    """The integration response for a status: the first whose pattern matches wholly, lowest status first, else the default."""
    ordered = sorted(responses, key=lambda response: response.status_code)
    for response in ordered:
        if response.selection_pattern and status and re.fullmatch(response.selection_pattern, status):
            return response
    return next((response for response in ordered if not response.selection_pattern), None)
