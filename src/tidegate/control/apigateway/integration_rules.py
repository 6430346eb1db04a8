"""Rules that an integration and its responses share, and those of a response by itself.

Source: *Amazon API Gateway API request and response data mapping reference*; shared facts, rest-control-plane §6.
"""

from __future__ import annotations

import re

from tidegate.control.apigateway.method_responses import HEADER
from tidegate.control.apigateway.methods import check_status
from tidegate.control.patch import bad_request
from tidegate.core.errors import ControlError
from tidegate.definition.records import IntegrationResponse
from tidegate.vtl import PatternError, compile_java

CONTENT_HANDLING = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
_EXPRESSION = re.compile(
    r"'[^'\r\n]*'|integration\.response\.(?:header|multivalueheader)\.[a-zA-Z0-9._$-]+|integration\.response\.body(?:\..+)?"
    r"|stageVariables\.[A-Za-z0-9_]+|context\.[A-Za-z0-9_.-]+"
)


def mapping_error(expression: str) -> ControlError:
    return bad_request(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
        f"[Invalid mapping expression specified: {expression}]"
    )


def check_templates(templates: dict[str, str | None] | None) -> None:
    for name in templates or {}:
        if "/" not in name and name != "$default":
            raise bad_request(f"Validation Result: warnings : [], errors : [Invalid content type specified: {name}]")


def check_integration_response(response: IntegrationResponse) -> None:
    """Raises ControlError."""
    check_status(response.status_code)
    if response.selection_pattern is not None:
        try:
            compile_java(response.selection_pattern)
        except PatternError:
            raise bad_request("Invalid selection pattern specified in the request") from None
    for target, expression in (response.response_parameters or {}).items():
        if not HEADER.fullmatch(target):
            raise mapping_error(target)
        if not _EXPRESSION.fullmatch(expression):
            raise mapping_error(expression)
    if response.content_handling not in (None, *CONTENT_HANDLING):
        raise bad_request(f"Invalid content handling specified: {response.content_handling}")
    check_templates(response.response_templates)
