"""Compiling customised gateway responses. Source: *Gateway responses in API Gateway*; shared facts, rest-data-plane §7."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tidegate.core.errors import Problem
from tidegate.definition.records import GatewayResponse
from tidegate.mapping.context import EXPLAINING
from tidegate.mapping.parameters import request_source
from tidegate.mapping.substitution import compile_substitution
from tidegate.plan.nodes import GatewayResponsePlan

_HEADER = "gatewayresponse.header."


def compile_gateway_responses(
    responses: Iterable[GatewayResponse], variables: Mapping[str, str], problems: list[Problem]
) -> Mapping[str, GatewayResponsePlan]:
    """By type. What is wrong is added to `problems`."""
    return {response.response_type: _compile(response, variables, problems) for response in responses}


def _compile(response: GatewayResponse, variables: Mapping[str, str], problems: list[Problem]) -> GatewayResponsePlan:
    pointer = f"/gatewayResponses/{response.response_type}"
    headers = []
    for target, expression in response.response_parameters.items():
        at = f"{pointer}/responseParameters/{target}"
        if not target.startswith(_HEADER):
            problems.append(
                Problem(at, "Tidegate does not support parameters of gateway responses other than headers yet")
            )
            continue
        try:
            headers.append((target.removeprefix(_HEADER).encode(), request_source(expression, variables, EXPLAINING)))
        except ValueError as error:
            problems.append(Problem(at, str(error)))
    templates = tuple(
        (name.lower(), compile_substitution(text, variables)) for name, text in response.response_templates.items()
    )
    status = None if response.status_code is None else int(response.status_code)
    return GatewayResponsePlan(status, tuple(headers), templates)
