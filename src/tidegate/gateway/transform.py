"""What non-proxy integrations do to messages: templates, content handling, integration responses, overrides.

Source: *Data transformations for REST APIs*, *Content type conversions in API Gateway*; shared facts, rest-data-plane §10, §14,
§15 and vtl §5. Not here: the language (vtl), what its variables are (mapping.velocity).
"""

from __future__ import annotations

import re
from base64 import b64encode

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Response
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.headers import field_value
from tidegate.gateway.outbound import Inbound, mapped_values
from tidegate.gateway.responses import configuration_error
from tidegate.mapping.header_names import answered
from tidegate.mapping.media import TO_BINARY, NotBase64, as_utf8, convert_request, convert_response, decode_base64, mime
from tidegate.mapping.velocity import variables_of
from tidegate.plan.nodes import RequestTransform, ResponsePlan, ResponseTransform
from tidegate.vtl import Budget, PatternError, Template, TemplateError

_BUDGET = Budget(seconds=1.0)
"""A rendering holds up every other request of this process."""


def outbound_body(ex: Exchange, transform: RequestTransform) -> bytes:
    """The body that goes to the backend. Raises GatewayError."""
    content_type = ex.request.headers.get(b"content-type")
    # AWS: a request without Content-Type counts as application/json.
    template = transform.templates.get(mime(content_type) or "application/json")
    binary = ex.stage.binary.match(content_type)
    if template is not None:
        return _encoded(render_request(ex, template, binary=binary))
    if not transform.passes:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", Fault.CLIENT, f"no request template for {content_type!r}")
    try:
        return convert_request(ex.request.body, binary=binary, handling=transform.handling)
    except NotBase64 as error:
        raise _failed(f"Unable to transform request: {error}") from error


def render_request(ex: Exchange, template: Template, *, binary: bool = False) -> str:
    """A request template's text; what it overrides is noted in the exchange."""
    text = _render(ex, template, ex.request.body, binary=binary, what="request")
    try:
        ex.take_overrides()
    except TemplateError as error:
        raise _failed(f"Unable to transform request: {error}") from error
    return text


def respond(ex: Exchange, transform: ResponseTransform, candidate: str | None, inbound: Inbound) -> Response:
    """The client's answer. `candidate`: what selection patterns are held against; None: only the default will do."""
    plan = _select(transform, candidate, inbound)
    ex.answer = inbound
    body = _body(ex, plan, inbound)
    headers = [(name, field_value(value)) for name, value in mapped_values(ex, plan.headers)]
    response = Response(plan.status, headers, body)
    override(ex, response)
    return response


def override(ex: Exchange, response: Response) -> None:
    """AWS: `$context.responseOverride` wins over what is mapped."""
    try:
        overrides = ex.response_overrides()
    except TemplateError as error:
        raise _failed(f"Unable to transform response: {error}") from error
    if overrides is None:
        return
    status, headers = overrides
    if status is not None:
        # Below 200 there is no final answer that HTTP could carry.
        if not re.fullmatch(r"[2-5]\d\d", status, re.ASCII):
            raise _failed(f"responseOverride.status is no status: {status}")
        response.status = int(status)
    for name, value in headers.items():
        shown = answered(name)
        if shown is not None:
            lower = shown.lower().encode()
            response.headers = [pair for pair in response.headers if pair[0].lower() != lower]
            response.headers.append((shown.encode(), field_value(value)))


def _select(transform: ResponseTransform, candidate: str | None, inbound: Inbound) -> ResponsePlan:
    chosen = transform.default
    if candidate is not None:
        try:
            chosen = next(
                (plan for plan in transform.patterned if plan.pattern is not None and plan.pattern.matches(candidate)),
                chosen,
            )
        except PatternError as error:
            raise _failed(f"a selection pattern took too long: {error}") from error
    if chosen is None:
        raise _failed(
            "No match for output mapping and no default output mapping configured. "
            f"Endpoint Response Status Code: {inbound.status}"
        )
    if not chosen.declared:
        raise _failed(f"Output mapping refers to an invalid method response: {chosen.status}")
    return chosen


def _body(ex: Exchange, plan: ResponsePlan, inbound: Inbound) -> bytes:
    binary_types = ex.stage.binary
    accept = ex.request.headers.get(b"accept")
    binary = binary_types.match(inbound.headers.get(b"content-type"))
    try:
        if not plan.templates:
            return convert_response(
                inbound.body, binary=binary, wanted=binary_types.match(accept), handling=plan.handling
            )
        rendered = _render(ex, _for_accept(plan.templates, accept), inbound.body, binary=binary, what="response")
        text = _encoded(rendered)
        return decode_base64(text) if plan.handling == TO_BINARY else text
    except NotBase64 as error:
        raise _failed(f"Unable to transform response: {error}") from error


def _for_accept(templates: tuple[tuple[str, Template], ...], accept: bytes | None) -> Template:
    """AWS: the template of the first type in Accept, else the first that is declared."""
    if len(templates) > 1:
        wanted = mime(accept) or "application/json"
        for media_type, template in templates:
            if media_type == wanted:
                return template
    return templates[0][1]


def _render(ex: Exchange, template: Template, body: bytes, *, binary: bool, what: str) -> str:
    """AWS: templates see a binary body as base64 text only."""
    if template.constant is not None:
        return template.constant
    payload = b64encode(body) if binary else as_utf8(body)
    try:
        return template.render(variables_of(ex, payload, template.roots), _BUDGET)
    except TemplateError as error:
        raise _failed(f"Unable to transform {what}: {error}") from error


def _encoded(text: str) -> bytes:
    """As Java encodes: half a surrogate pair, which JSON can hold and UTF-8 cannot, becomes a question mark."""
    return text.encode("utf-8", "replace")


def _failed(detail: str) -> GatewayError:
    return configuration_error(f"Execution failed due to configuration error: {detail}")
