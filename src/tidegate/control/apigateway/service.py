"""API Gateway's door for REST APIs: test invocations run on the event loop, all else as operations in the management thread.
Answers are plain JSON or HAL, as the caller accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from tidegate.aws.model import Params, render
from tidegate.aws.rest import Answer, Operation, RestJson
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.apigateway import OPERATIONS, test_authorizer, test_method
from tidegate.control.apigateway.hal import Hal, wants_hal
from tidegate.control.apigateway.needs import needs
from tidegate.control.apigateway.test_method import Tester
from tidegate.control.apigateway.unsupported import UNSUPPORTED
from tidegate.control.service import ManagementService, Office
from tidegate.core.message import Request, Response
from tidegate.functions.spec import Functions
from tidegate.state.callers import Caller

RUN_HERE = frozenset({"TestInvokeMethod", "TestInvokeAuthorizer"})
"""Operations that wait for a backend, and so are no part of `OPERATIONS`."""


class RestApiService(ManagementService):
    def __init__(
        self,
        office: Office,
        protocol: RestJson,
        functions: Functions,
        tester: Tester,
        flush_authorizers: Callable[[tuple[str, str]], None],
    ) -> None:
        """`flush_authorizers`: forgets what a stage's authorizers answered; takes API id and stage name."""
        super().__init__(office, protocol, OPERATIONS, UNSUPPORTED)
        self._functions = functions
        self._tester = tester
        self._flush_authorizers = flush_authorizers
        self._hal = Hal(protocol.operations.values())

    def answer(
        self, form: Operation, labels: Mapping[str, str], result: Any, request: Request, request_id: str
    ) -> Response:
        if isinstance(result, Answer) or not form.has_document or not wants_hal(request):
            return super().answer(form, labels, result, request, request_id)
        plain = render(form.model.output_shape, result or {})
        head = [(b"x-amzn-RequestId", request_id.encode()), (b"Content-Type", b"application/hal+json")]
        return Response(form.status, head, orjson.dumps(self._hal.document(form, labels, request, plain)))

    def needs(
        self, caller: Caller, form: Operation, labels: Mapping[str, str], params: Params, scope: Scope
    ) -> Sequence[Need]:
        return needs(form, labels, params, scope)

    async def call(self, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        if form.name == "TestInvokeMethod":
            call = await self._office.run(scope, test_method.prepare, params)
            return test_method.answer(await self._tester(call.stage, call.request))
        if form.name == "TestInvokeAuthorizer":
            authorizer_call = await self._office.run(scope, test_authorizer.prepare, params)
            return await test_authorizer.run(authorizer_call, self._functions, self._office.clock)
        result = await super().call(form, params, scope, request)
        if form.name == "FlushStageAuthorizersCache":
            self._flush_authorizers((params["rest_api_id"], params["stage_name"]))
        return result
