"""Gateway responses: how an error becomes an answer. The only place that renders a GatewayError.

Source: *Gateway response types for API Gateway*; shared facts, rest-data-plane §7 and §8.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Pairs, Response, UpstreamError, UpstreamTimeout
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.headers import field_value
from tidegate.mapping.media import mime
from tidegate.plan.nodes import GatewayResponsePlan


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """A gateway response type's status, the `x-amzn-ErrorType` that goes with it, and the default message."""

    status: int
    error_type: bytes
    message: str | None
    """None: AWS answers `{"message":null}`."""


TYPES = {
    "ACCESS_DENIED": GatewayResponse(403, b"AccessDeniedException", "Access denied"),
    "AUTHORIZER_CONFIGURATION_ERROR": GatewayResponse(500, b"AuthorizerConfigurationException", None),
    "AUTHORIZER_FAILURE": GatewayResponse(500, b"AuthorizerFailureException", None),
    "EXPIRED_TOKEN": GatewayResponse(
        403, b"ExpiredTokenException", "The security token included in the request is expired"
    ),
    "INVALID_SIGNATURE": GatewayResponse(403, b"InvalidSignatureException", ""),
    "UNAUTHORIZED": GatewayResponse(401, b"UnauthorizedException", "Unauthorized"),
    "UNRECOGNIZED_CLIENT": GatewayResponse(
        403, b"UnrecognizedClientException", "The security token included in the request is invalid."
    ),
    "API_CONFIGURATION_ERROR": GatewayResponse(500, b"InternalServerErrorException", "Internal server error"),
    "BAD_REQUEST_BODY": GatewayResponse(400, b"BadRequestException", "Invalid request body"),
    "BAD_REQUEST_PARAMETERS": GatewayResponse(400, b"BadRequestException", "Missing required request parameters"),
    "DEFAULT_5XX": GatewayResponse(500, b"InternalServerErrorException", "Internal server error"),
    "FORBIDDEN": GatewayResponse(403, b"ForbiddenException", "Forbidden"),
    "INTEGRATION_FAILURE": GatewayResponse(
        504, b"InternalServerErrorException", "Network error communicating with endpoint"
    ),
    "INTEGRATION_TIMEOUT": GatewayResponse(504, b"InternalServerErrorException", "Endpoint request timed out"),
    "INVALID_API_KEY": GatewayResponse(403, b"ForbiddenException", "Forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": GatewayResponse(
        403, b"MissingAuthenticationTokenException", "Missing Authentication Token"
    ),
    "REQUEST_TOO_LARGE": GatewayResponse(413, b"RequestTooLargeException", "Request Too Long"),
    "REQUEST_URI_TOO_LONG": GatewayResponse(414, b"RequestURITooLongException", "Request URI too long"),
    "REQUEST_HEADERS_TOO_LARGE": GatewayResponse(
        431, b"RequestHeaderFieldsTooLargeException", "Request Header Fields Too Large"
    ),
    "UNSUPPORTED_MEDIA_TYPE": GatewayResponse(415, b"UnsupportedMediaTypeException", "Unsupported Media Type"),
    "INCOMPLETE_SIGNATURE": GatewayResponse(403, b"IncompleteSignatureException", ""),
    "THROTTLED": GatewayResponse(429, b"TooManyRequestsException", "Too Many Requests"),
}
"""FORBIDDEN, INCOMPLETE_SIGNATURE, UNRECOGNIZED_CLIENT, REQUEST_URI_TOO_LONG and REQUEST_HEADERS_TOO_LARGE are no types of
AWS's: those answers cannot be customised."""

CUSTOMISABLE = TYPES.keys() - {
    "FORBIDDEN",
    "INCOMPLETE_SIGNATURE",
    "UNRECOGNIZED_CLIENT",
    "REQUEST_TOO_LARGE",
    "REQUEST_URI_TOO_LONG",
    "REQUEST_HEADERS_TOO_LARGE",
}
"""AWS: REQUEST_TOO_LARGE is a type, but its answer cannot be customised."""

MALFORMED_PROXY_STATUS = 502
"""AWS: a Lambda proxy integration's failure is a DEFAULT_5XX with status 502."""


def message_of(error: GatewayError) -> str | None:
    """`$context.error.message`: the error's own text, else its type's."""
    return TYPES[error.kind].message if error.message is None else error.message


def render(error: GatewayError) -> Response:
    """The answer to a request that an error stopped, without the headers that every answer gets; nobody has customised it."""
    kind = TYPES[error.kind]
    # AWS: bodies of errors that arise after execution has started have a blank after the colon.
    # AWS: denials by policies have a capital letter.
    key = "Message" if error.kind == "ACCESS_DENIED" else "message"
    body = f'{{"{key}":{" " if error.started else ""}{json.dumps(message_of(error))}}}'
    headers: Pairs = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", kind.error_type)]
    return Response(error.status or kind.status, headers, body.encode())


def render_for(error: GatewayError, ex: Exchange) -> Response:
    """The same as the API has customised it. AWS: the type's own customisation, else that of DEFAULT_4XX or DEFAULT_5XX."""
    customised = ex.stage.gateway_responses
    if not customised or error.kind not in CUSTOMISABLE:
        return render(error)
    status = error.status or TYPES[error.kind].status
    plan = customised.get(error.kind) or customised.get("DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX")
    if plan is None:
        return render(error)
    media_type, body = _body(plan, ex)
    headers: Pairs = [(b"Content-Type", media_type.encode()), (b"x-amzn-ErrorType", TYPES[error.kind].error_type)]
    for name, source in plan.headers:
        value = source(ex)
        if value is not None:
            headers = [pair for pair in headers if pair[0].lower() != name.lower()]
            headers.append((name, field_value(value)))
    return Response(plan.status or status, headers, body.encode())


def _body(plan: GatewayResponsePlan, ex: Exchange) -> tuple[str, str]:
    """AWS: the template of the type that Accept names first, else that of application/json, else the first."""
    templates = plan.templates
    wanted = mime(ex.request.headers.get(b"accept"))
    for candidate in (wanted, "application/json"):
        for media_type, render_body in templates:
            if media_type == candidate:
                return media_type, render_body(ex)
    media_type, render_body = templates[0]
    return media_type, render_body(ex)


def too_large(ids: Pairs) -> Response:
    """A body beyond the payload limit. AWS: plain text, no gateway response."""
    head = [(b"Content-Type", b"text/plain"), *ids]
    return Response(413, head, b"HTTP content length exceeded 10485760 bytes.", close=True)


def forbidden(detail: str) -> GatewayError:
    return GatewayError("FORBIDDEN", Fault.CLIENT, detail)


def backend_error(error: UpstreamError) -> GatewayError:
    """An HTTP backend did not answer, or not in time."""
    kind = "INTEGRATION_TIMEOUT" if isinstance(error, UpstreamTimeout) else "INTEGRATION_FAILURE"
    return GatewayError(kind, Fault.INTEGRATION, str(error), started=True)


def configuration_error(detail: str) -> GatewayError:
    """The API is declared so that this request cannot be served."""
    return GatewayError("API_CONFIGURATION_ERROR", Fault.CONFIGURATION, detail, started=True)
