"""API Gateway's door for REST APIs: test invocations run on the event loop, all else as operations in the management thread."""

from __future__ import annotations

from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.rest import Operation, RestJson
from tidegate.aws.scope import Scope
from tidegate.control.apigateway import OPERATIONS, test_authorizer, test_method
from tidegate.control.apigateway.test_method import Tester
from tidegate.control.apigateway.unsupported import UNSUPPORTED
from tidegate.control.service import ManagementService, Office
from tidegate.core.message import Request
from tidegate.functions.spec import Functions

RUN_HERE = frozenset({"TestInvokeMethod", "TestInvokeAuthorizer"})
"""Operations that wait for a backend, and so are no part of `OPERATIONS`."""


class RestApiService(ManagementService):
    def __init__(self, office: Office, protocol: RestJson, functions: Functions, tester: Tester) -> None:
        super().__init__(office, protocol, OPERATIONS, UNSUPPORTED)
        self._functions = functions
        self._tester = tester

    async def call(self, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        if form.name == "TestInvokeMethod":
            call = await self._office.run(scope, test_method.prepare, params)
            return test_method.answer(await self._tester(call.stage, call.request))
        if form.name == "TestInvokeAuthorizer":
            authorizer_call = await self._office.run(scope, test_authorizer.prepare, params)
            return await test_authorizer.run(authorizer_call, self._functions, self._office.clock)
        return await super().call(form, params, scope, request)
