"""What compiling an integration of any kind needs: the stage's surroundings, and the problems found on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tidegate.core.errors import Problem
from tidegate.core.message import ClientIdentity, Origin
from tidegate.definition.records import Integration
from tidegate.mapping.parameters import Source, request_source, response_source
from tidegate.plan.nodes import Placeholder, RawLabel
from tidegate.vtl import Template, TemplateSyntaxError, compile_template

MAX_TEMPLATE = 300 * 1024
"""Bytes. *Quotas for configuring and running a REST API*: mapping template size."""

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
_PLACEHOLDER = re.compile(r"\{([a-zA-Z0-9._$-]+)\+?\}")
NOT_IN_URI = re.compile(r"[\x00-\x20\x7f#]")


class MissingVariable(Exception):
    """A stage variable that a URI names is not set. AWS: every call fails with 500, not the deployment."""


@dataclass(slots=True)
class Surroundings:
    """The stage that an integration is compiled for. What is wrong is gathered in `problems`."""

    api_id: str
    stage_name: str
    account: str
    region: str
    variables: Mapping[str, str]
    idle: float
    """Seconds that a streamed answer may pause."""
    certificate: ClientIdentity | None = None
    links: Mapping[str, str | None] = field(default_factory=dict)
    """VPC links by id: the private address that each leads to, as `host:port`; None: the URI's own host."""
    problems: list[Problem] = field(default_factory=list)

    def problem(self, pointer: str, message: str) -> None:
        self.problems.append(Problem(pointer, message))

    def substituted(self, text: str) -> str:
        """With stage variables in place. Raises MissingVariable."""

        def value(found: re.Match[str]) -> str:
            try:
                return self.variables[found[1]]
            except KeyError:
                detail = f"Invalid endpoint address: stage variable {found[1]} is not set"
                raise MissingVariable(detail) from None

        return _STAGE_VARIABLE.sub(value, text)

    def source(self, expression: str, pointer: str, *, response: bool) -> Source | None:
        try:
            return (response_source if response else request_source)(expression, self.variables)
        except ValueError as error:
            self.problem(pointer, str(error))
            return None

    def template(self, text: str | None, pointer: str) -> Template | None:
        """None, and a problem noted, for a template that is no Velocity."""
        if text is not None and len(text.encode()) > MAX_TEMPLATE:
            self.problem(pointer, "the mapping template is larger than 300 KB")
            return None
        try:
            return compile_template(text or "", name=pointer)
        except TemplateSyntaxError as error:
            self.problem(pointer, f"Invalid mapping template: {error}")
            return None

    def mapped(self, integration: Integration, pointer: str) -> dict[str, list[tuple[str, Source]]]:
        """Request parameters by where they go: path, querystring, header."""
        mapped: dict[str, list[tuple[str, Source]]] = {"path": [], "querystring": [], "header": []}
        for target, expression in (integration.request_parameters or {}).items():
            where, _, name = target.removeprefix("integration.request.").partition(".")
            at = f"{pointer}/requestParameters/{target}"
            source = self.source(expression, at, response=False)
            if where not in mapped or not name:
                self.problem(at, f"Invalid mapping expression specified: {target}")
            elif source is not None:
                mapped[where].append((name, source))
        return mapped

    def path(self, path: str, labels: Mapping[str, RawLabel | Source], pointer: str) -> tuple[bytes | Placeholder, ...]:
        """A URI's path, cut at its placeholders."""
        parts: list[bytes | Placeholder] = []
        end = 0
        for found in _PLACEHOLDER.finditer(path):
            parts.append(path[end : found.start()].encode())
            source = labels.get(found[1])
            if source is None:
                self.problem(f"{pointer}/uri", f"the placeholder {found[0]} is not mapped")
            else:
                parts.append(Placeholder(found[1], source))
            end = found.end()
        return tuple(part for part in (*parts, path[end:].encode()) if part != b"")


def is_the_callers(credentials: str | None) -> bool:
    """AWS: `arn:aws:iam::*:user/*` stands for the credentials that the request was signed with."""
    return credentials is not None and credentials.endswith(":iam::*:user/*")


def raw_labels(integration: Integration) -> dict[str, RawLabel]:
    """The placeholders that are fed by a path parameter of the request."""
    prefix, source = "integration.request.path.", "method.request.path."
    return {
        target.removeprefix(prefix): RawLabel(expression.removeprefix(source))
        for target, expression in (integration.request_parameters or {}).items()
        if target.startswith(prefix) and expression.startswith(source)
    }


def origin_of(uri: str, *, verify: bool, identity: ClientIdentity | None, address: str | None = None) -> Origin | None:
    """`address`: where to connect instead of the URI's host, which remains the name that is asked for. None: the URI names
    no host that could be called."""
    parts = urlsplit(uri)
    try:
        port = parts.port
        target = urlsplit(f"//{address}") if address is not None else None
        target_port = target.port if target is not None else None
    except ValueError:
        return None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username is not None
        or re.search(r"[\s{}]", parts.netloc)
    ):
        return None
    secure = parts.scheme == "https"
    port = port or (443 if secure else 80)
    shown = identity if secure else None
    if target is None or not target.hostname:
        return Origin(parts.scheme, parts.hostname, port, verify, shown)
    return Origin(parts.scheme, target.hostname, target_port or port, verify, shown, parts.hostname)


def authority_of(uri: str) -> str:
    """For the Host header: without the port where it is the scheme's own."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, 443 if parts.scheme == "https" else 80) else f"{host}:{parts.port}"
