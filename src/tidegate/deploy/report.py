"""What a person sees of a deployment: a line for each resource, warnings, outputs, and URLs that answer.

Not here: deciding anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from tidegate.deploy.resources.base import ClientFactory
from tidegate.deploy.stack import Event
from tidegate.deploy.state import StackState

Out: TypeAlias = Callable[[str], None]
"""Takes one line, without its end."""

_INVOKE = re.compile(
    r"https://(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?P<rest>/[^\s'\"]*)?"
)


def event_line(event: Event) -> str:
    return f"{event.action:<11} {event.type:<30} {event.logical_id:<36} {event.detail}"


def finish(state: StackState, warnings: list[str], *, clients: ClientFactory, endpoint: str, out: Out) -> None:
    """Everything after the resource lines."""
    for warning in warnings:
        out(f"warning: {warning}")
    for line in _output_lines(state.outputs, endpoint):
        out(line)
    for line in url_lines(state, clients, endpoint):
        out(line)


def local_url(value: str, endpoint: str) -> str | None:
    """A text with its invoke URLs of AWS as this Tidegate answers them; None when there is none in it."""
    local = _INVOKE.sub(lambda found: f"{endpoint}/_aws/execute-api/{found['api']}{found['rest'] or '/'}", value)
    return None if local == value else local


def stages_of(state: StackState) -> list[tuple[str, str]]:
    """API id and stage name of every stage that a template declares. A stage that only a Deployment names counts when its API
    has no other: SAM makes a useless one by the name of `Stage` beside the real one."""
    resources = state.resources.values()
    declared = [
        (str(r.properties["RestApiId"]), r.made.physical_id) for r in resources if r.type == "AWS::ApiGateway::Stage"
    ]
    served = {api_id for api_id, _ in declared}
    for resource in resources:
        if resource.type == "AWS::ApiGateway::Deployment" and (name := resource.properties.get("StageName")):
            pair = (str(resource.properties["RestApiId"]), str(name))
            if pair[0] not in served and pair not in declared:
                declared.append(pair)
    return declared


def invoke_urls(state: StackState, endpoint: str) -> list[str]:
    """The path form of every stage's URL, without a closing slash."""
    return [f"{endpoint}/_aws/execute-api/{api_id}/{stage}" for api_id, stage in stages_of(state)]


def url_lines(state: StackState, clients: ClientFactory, endpoint: str) -> Iterator[str]:
    """For every stage its AWS-like URL, and below it every method with its URL.

    The latter use the path form: `*.localhost` is resolved by curl and browsers, not by every program.
    """
    for api_id, stage in stages_of(state):
        yield ""
        yield f"{host_form(api_id, endpoint)}/{stage}"
        base = f"{endpoint}/_aws/execute-api/{api_id}/{stage}"
        for path, method in _methods(clients("apigateway"), api_id):
            yield f"  {method:<7} {base}{path}"


def host_form(api_id: str, endpoint: str) -> str:
    parts = urlsplit(endpoint)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{api_id}.execute-api.localhost{port}"


def _output_lines(outputs: Mapping[str, str], endpoint: str) -> Iterator[str]:
    if outputs:
        yield ""
        yield "Outputs"
    for name, value in outputs.items():
        yield f"  {name} = {value}"
        if url := local_url(value, endpoint):
            yield f"  {' ' * len(name)}   here: {url}"


def _methods(client: Any, api_id: str) -> Iterator[tuple[str, str]]:
    pages = client.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"])
    resources = [resource for page in pages for resource in page.get("items", [])]
    for resource in sorted(resources, key=lambda item: str(item["path"])):
        for method in sorted(resource.get("resourceMethods") or {}):
            yield resource["path"], method
