"""Compiling what non-proxy integrations do to bodies and headers: request templates, and integration responses.

Source: *Data transformations for REST APIs*; shared facts, rest-data-plane §13 to §15.
"""

from __future__ import annotations

from tidegate.definition.records import Integration, IntegrationResponse, Method
from tidegate.mapping.header_names import answered
from tidegate.plan.integrations.common import Surroundings
from tidegate.plan.nodes import RequestTransform, ResponsePlan, ResponseTransform
from tidegate.vtl import PatternError, compile_java


def request_transform(integration: Integration, around: Surroundings, pointer: str) -> RequestTransform:
    given = integration.request_templates or {}
    templates = {}
    for media_type, text in given.items():
        template = around.template(text, f"{pointer}/requestTemplates/{media_type.replace('/', '~1')}")
        if template is not None:
            templates[media_type.lower()] = template
    behavior = integration.passthrough_behavior
    return RequestTransform(
        templates=templates,
        passes=behavior == "WHEN_NO_MATCH" or (behavior == "WHEN_NO_TEMPLATES" and not given),
        handling=integration.content_handling,
    )


def response_transform(method: Method, around: Surroundings, pointer: str) -> ResponseTransform:
    """AWS: among several that match, the one with the lowest status answers [rec]."""
    integration = method.method_integration
    declared = (integration.integration_responses if integration else None) or {}
    ordered = sorted(declared.values(), key=lambda response: response.status_code)
    plans = [(response, _response(response, method, around, pointer)) for response in ordered]
    return ResponseTransform(
        patterned=tuple(plan for response, plan in plans if response.selection_pattern),
        default=next((plan for response, plan in plans if not response.selection_pattern), None),
    )


def _response(response: IntegrationResponse, method: Method, around: Surroundings, pointer: str) -> ResponsePlan:
    at = f"{pointer}/responses/{response.status_code}"
    headers = []
    for target, expression in (response.response_parameters or {}).items():
        source = around.source(expression, at, response=True)
        shown = answered(target.removeprefix("method.response.header."))
        if source is not None and shown is not None:
            headers.append((shown.encode(), source))
    templates = []
    for media_type, text in (response.response_templates or {}).items():
        template = around.template(text, f"{at}/responseTemplates/{media_type.replace('/', '~1')}")
        if template is not None:
            templates.append((media_type.lower(), template))
    pattern = None
    if response.selection_pattern:
        try:
            pattern = compile_java(response.selection_pattern)
        except PatternError as error:
            around.problem(f"{at}/selectionPattern", f"Invalid selection pattern specified: {error}")
    return ResponsePlan(
        status=int(response.status_code),
        declared=response.status_code in (method.method_responses or {}),
        pattern=pattern,
        headers=tuple(headers),
        templates=tuple(templates),
        handling=response.content_handling,
    )
