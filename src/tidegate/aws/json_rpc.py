"""The json protocol, server side: X-Amz-Target names the operation, the body is its input, by botocore's model.

Source: botocore's json serializer, read from the other end. Its answers are those of `aws.rest`: same methods, same `Operation`.
"""

from __future__ import annotations

from typing import Any

import orjson
from botocore.model import ServiceModel

from tidegate.aws.model import Params, Violations, check, parse, render, require_type
from tidegate.aws.rest import Answer, Operation
from tidegate.core.errors import ControlError
from tidegate.core.message import Request, Response


class JsonRpc:
    style = "json"

    def __init__(self, service: ServiceModel, *, violation: str = "ValidationException") -> None:
        """`violation`: the code of the error for input that breaks the model's constraints."""
        self.service = service
        self._violation = violation
        self._prefix = f"{service.metadata['targetPrefix']}."
        self._content_type = f"application/x-amz-json-{service.metadata['jsonVersion']}".encode()
        self.operations = {
            name: Operation(name, "POST", (), frozenset(), 200, service.operation_model(name))
            for name in service.operation_names
        }

    def match(self, request: Request) -> tuple[Operation, dict[str, str]] | None:
        target = (request.headers.get(b"x-amz-target") or b"").decode("latin-1")
        operation = self.operations.get(target.removeprefix(self._prefix)) if target.startswith(self._prefix) else None
        return None if operation is None else (operation, {})

    def parse(self, operation: Operation, _labels: dict[str, str], request: Request) -> Params:
        """Raises ControlError."""
        shape = operation.model.input_shape
        if shape is None:
            return {}
        try:
            document = orjson.loads(request.body or b"{}")
        except orjson.JSONDecodeError:
            raise ControlError("SerializationException", "The request body is not valid JSON") from None
        require_type("structure", document)
        params: Params = parse(shape, document)
        found = Violations()
        check(shape, params, "", found)
        try:
            found.raise_if_any()
        except ControlError as error:
            raise ControlError(self._violation, error.message) from None
        return params

    def respond(self, operation: Operation, result: Any, request_id: str) -> Response:
        shape = operation.model.output_shape
        if isinstance(result, Answer):
            return Response(result.status or 200, [*self._head(request_id), *result.headers], result.body)
        # AWS: operations without output answer with an empty body.
        body = b"" if shape is None else orjson.dumps(render(shape, result or {}))
        return Response(200, self._head(request_id), body)

    def respond_error(self, error: ControlError, request_id: str) -> Response:
        body = {"__type": error.code, "message": error.message, **error.extra}
        return Response(error.status, self._head(request_id), orjson.dumps(body))

    def _head(self, request_id: str) -> list[tuple[bytes, bytes]]:
        return [(b"x-amzn-RequestId", request_id.encode()), (b"Content-Type", self._content_type)]
