"""The Lambda service's door: Invoke waits for a function and is answered here; all else runs as an operation."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer, Operation, RestJson
from tidegate.aws.scope import Scope
from tidegate.control.awslambda import OPERATIONS, unsupported
from tidegate.control.awslambda.lookup import invalid, resolve_arn
from tidegate.control.service import ManagementService, Office
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.functions.spec import Functions, InvokeError

_MAX_CLIENT_CONTEXT = 3583
"""Characters, encoded."""


class LambdaService(ManagementService):
    def __init__(self, office: Office, protocol: RestJson, functions: Functions) -> None:
        super().__init__(office, protocol, OPERATIONS, unsupported(list(protocol.operations)))
        self._functions = functions

    async def call(self, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        if form.name == "Invoke":
            return await self._invoke(params, scope)
        return await super().call(form, params, scope, request)

    async def _invoke(self, params: Params, scope: Scope) -> Answer:
        """RequestResponse. Source: *Invoke*; shared facts, lambda §5."""
        kind = params.get("invocation_type") or "RequestResponse"
        if kind != "RequestResponse":
            raise invalid(f"Tidegate does not support the invocation type {kind} yet")
        for member in ("tenant_id", "durable_execution_name"):
            if params.get(member):
                raise invalid(f"Tidegate does not support {member.replace('_', ' ')} yet")
        payload = params.get("payload") or b"{}"
        try:
            orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            message = f"Could not parse request body into json: {error}"
            raise ControlError("InvalidRequestContentException", message, extra={"Type": "User"}) from None
        tail = params.get("log_type") == "Tail"
        try:
            result = await self._functions.invoke(
                resolve_arn(scope, params), payload, client_context=_client_context(params), tail=tail
            )
        except InvokeError as error:
            raise ControlError(error.code, error.message, error.status, extra={"Type": "User"}) from error
        headers = [
            (b"Content-Type", b"application/json"),
            (b"X-Amz-Executed-Version", result.executed_version.encode()),
        ]
        if result.function_error is not None:
            headers.append((b"X-Amz-Function-Error", result.function_error.encode()))
        if tail:
            headers.append((b"X-Amz-Log-Result", base64.b64encode(result.log_tail)))
        return Answer(result.payload, tuple(headers))


def _client_context(params: Params) -> bytes | None:
    text = params.get("client_context")
    if not text:
        return None
    try:
        decoded = base64.b64decode(text, validate=True)
        orjson.loads(decoded)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded or len(text) > _MAX_CLIENT_CONTEXT:
        raise invalid("Client context must be a valid Base64-encoded JSON object.")
    return decoded
