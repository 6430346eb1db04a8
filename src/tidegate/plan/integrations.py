"""Compiling integrations: from the declaration to the node that the gateway runs.

Source: *Choose an API Gateway API integration type*; shared facts, rest-data-plane §12.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson

from tidegate.core.errors import Problem
from tidegate.core.message import Origin
from tidegate.definition.records import Integration, IntegrationResponse, Method
from tidegate.mapping.parameters import Source, request_source, response_source
from tidegate.plan.nodes import BrokenPlan, HttpProxyPlan, IntegrationPlan, LambdaProxyPlan, MockPlan

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
_PLACEHOLDER = re.compile(r"\{([a-zA-Z0-9._$-]+)\+?\}")
_FUNCTION = re.compile(
    r"arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2015-03-31/functions/"
    r"(arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)/invocations"
)
# AWS: headers that a mapping may not set; such a request fails with 500 (shared facts, rest-data-plane §5).
_FORBIDDEN_TARGETS = frozenset({"content-length", "transfer-encoding"})


@dataclass(slots=True)
class IntegrationCompiler:
    """Compiles the integrations of one stage; gathers what is wrong in `problems`."""

    api_id: str
    stage_name: str
    account: str
    region: str
    variables: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def compile(self, method: Method, resource_path: str, pointer: str) -> IntegrationPlan:
        integration = method.method_integration
        if integration is None:
            self.problems.append(Problem(pointer, "No integration defined for method"))
            return BrokenPlan("no integration")
        if integration.type == "MOCK":
            return self._mock(integration, pointer)
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

    def _mock(self, integration: Integration, pointer: str) -> IntegrationPlan:
        responses = list((integration.integration_responses or {}).values())
        wanted = _mock_status(integration)
        if wanted is None:
            return BrokenPlan("the request template of the MOCK integration gives no statusCode")
        chosen = _select(responses, wanted)
        if chosen is None:
            return BrokenPlan(f"no integration response matches status {wanted}")
        prefix = "method.response.header."
        headers = []
        for target, expression in (chosen.response_parameters or {}).items():
            source = self._source(expression, f"{pointer}/responses/{chosen.status_code}", response=True)
            if target.startswith(prefix) and source is not None:
                headers.append((target.removeprefix(prefix).encode(), source))
        bodies = tuple(
            (name.lower(), (text or "").encode()) for name, text in (chosen.response_templates or {}).items()
        )
        return MockPlan(int(chosen.status_code), tuple(headers), bodies)

    def _http_proxy(self, integration: Integration, uri: str, pointer: str) -> IntegrationPlan:
        verify = not (integration.tls_config and integration.tls_config.insecure_skip_verification)
        origin = _origin(uri, verify=verify)
        if origin is None:
            self.problems.append(Problem(f"{pointer}/uri", "Invalid HTTP endpoint specified for URI"))
            return BrokenPlan("invalid URI")
        mapped = self._mapped(integration, pointer)
        rest = re.sub(r"^https?://[^/?]*", "", uri)
        path, _, query = rest.partition("?")
        labels = dict(mapped["path"])
        verb = integration.http_method or "ANY"
        return HttpProxyPlan(
            origin=origin,
            verb=None if verb == "ANY" else verb.encode(),
            path=self._path(path or "/", labels, pointer),
            query=query.encode(),
            query_sources=tuple((name.encode(), source) for name, source in mapped["querystring"]),
            header_sources=tuple((name.encode(), source) for name, source in mapped["header"]),
            overridden=frozenset(name.lower().encode() for name, _ in mapped["header"]),
            head=f" HTTP/1.1\r\nHost: {origin.authority}\r\nx-amzn-apigateway-api-id: {self.api_id}\r\n".encode(),
            user_agent=f"User-Agent: AmazonAPIGateway_{self.api_id}\r\n".encode(),
            maps_user_agent=any(name.lower() == "user-agent" for name, _ in mapped["header"]),
            timeout=integration.timeout_in_millis / 1000,
        )

    def _path(self, path: str, labels: dict[str, Source], pointer: str) -> tuple[bytes | Source, ...]:
        parts: list[bytes | Source] = []
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
        before = f"arn:aws:execute-api:{self.region}:{self.account}:{self.api_id}/{self.stage_name}/"
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
            elif where == "header" and name.lower() in _FORBIDDEN_TARGETS:
                self.problems.append(Problem(at, f"the header {name} can not be mapped"))
            elif source is not None:
                mapped[where].append((name, source))
        return mapped

    def _source(self, expression: str, pointer: str, *, response: bool) -> Source | None:
        try:
            return (response_source if response else request_source)(expression, self.variables)
        except ValueError as error:
            self.problems.append(Problem(pointer, str(error)))
            return None


def _origin(uri: str, *, verify: bool) -> Origin | None:
    parts = urlsplit(uri)
    try:
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s{}]", parts.netloc):
        return None
    return Origin(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), verify)


def _mock_status(integration: Integration) -> str | None:
    """The statusCode that the constant request template gives; `200` where there is no template at all."""
    templates = integration.request_templates or {}
    text = templates.get("application/json")
    if text is None:
        return "" if not templates else None
    # AWS: an unquoted key is tolerated, `{statusCode: 200}` (shared facts, rest-data-plane §12.2).
    text = re.sub(r"([{,]\s*)([A-Za-z_]\w*)(\s*:)", r'\1"\2"\3', text)
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
