"""Request validation: required parameters, and the body against its model.

Source: *Request validation for REST APIs in API Gateway*; shared facts, rest-data-plane §9.
"""

from __future__ import annotations

from tidegate.core.errors import Fault, GatewayError
from tidegate.gateway.exchange import Exchange
from tidegate.mapping.media import mime
from tidegate.plan.nodes import ValidationPlan


def validate(ex: Exchange, plan: ValidationPlan) -> None:
    """Raises GatewayError. AWS: parameters first, all that are missing in one message; only their presence is looked at."""
    missing = [name for name, source in plan.required if not (source(ex) or "").strip()]
    if missing:
        text = f"Missing required request parameters: [{', '.join(missing)}]"
        raise GatewayError("BAD_REQUEST_PARAMETERS", Fault.CLIENT, text, message=text, started=True)
    if plan.models:
        _validate_body(ex, plan)


def _validate_body(ex: Exchange, plan: ValidationPlan) -> None:
    """AWS: a type that no model is for is not validated."""
    media_type = mime(ex.request.headers.get(b"content-type")) or "application/json"
    model = plan.models.get(media_type) or plan.models.get("$default")
    if model is None:
        return
    complaints = model.validate(ex.request.body)
    if complaints:
        ex.validation_error = f"[{', '.join(complaints)}]"
        detail = f"Request body does not match model schema for content type {media_type}: {ex.validation_error}"
        raise GatewayError("BAD_REQUEST_BODY", Fault.CLIENT, detail, started=True)
