"""The management services that are ours, each with its protocol on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from tidegate.aws.caller import AwsCaller
from tidegate.aws.json_rpc import JsonRpc
from tidegate.aws.model import load_service_model
from tidegate.aws.query import Query
from tidegate.aws.rest import RestJson
from tidegate.aws.scope import Credential
from tidegate.control.apigateway.service import RestApiService
from tidegate.control.awslambda.local_folders import LocalFolders
from tidegate.control.awslambda.objects import S3Objects
from tidegate.control.awslambda.service import LambdaService
from tidegate.control.cognito_idp.service import CognitoService, UserPoolWork
from tidegate.control.iam.service import IamService
from tidegate.control.logs.service import LogsService
from tidegate.control.service import ManagementService, Office
from tidegate.control.sts.service import StsService
from tidegate.core.message import Request, Response
from tidegate.core.vault import Vault
from tidegate.entry import Service
from tidegate.functions.asynchronous import EventQueue
from tidegate.functions.service import FunctionService
from tidegate.gateway.testing import MethodTester
from tidegate.settings import Settings
from tidegate.state.callers import Callers
from tidegate.state.sessions import Sessions

S = TypeVar("S", bound=ManagementService)

_INVALID = "InvalidParameterException"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the services are made of."""

    settings: Settings
    office: Office
    vault: Vault
    functions: FunctionService
    events: EventQueue
    caller: AwsCaller
    callers: Callers
    sessions: Sessions
    tester: MethodTester
    user_pools: UserPoolWork
    flush_authorizers: Callable[[tuple[str, str]], None]
    forget_pool_keys: Callable[[str], None]


class OnDemand(Generic[S]):
    """A service that is made when it is first called: reading its model would be a part of every start, and of the memory of
    all who never call it.
    """

    def __init__(self, make: Callable[[Parts], S], parts: Parts) -> None:
        self._make = make
        self._parts = parts

    @cached_property
    def service(self) -> S:
        return self._make(self._parts)

    async def handle(self, request: Request, credential: Credential, region: str) -> Response:
        return await self.service.handle(request, credential, region)


def user_pool_service(parts: Parts) -> OnDemand[CognitoService]:
    return OnDemand(_user_pools, parts)


def management_services(parts: Parts, users: OnDemand[CognitoService]) -> dict[str, Service]:
    """By signing name. Whoever says where identities are does not mean ours; APIs, functions and logs are always ours."""
    identities: dict[str, Service] = {"cognito-idp": users, "iam": OnDemand(_iam, parts), "sts": OnDemand(_sts, parts)}
    here = {name: service for name, service in identities.items() if name not in parts.settings.endpoints}
    return {"apigateway": _apis(parts), "lambda": _lambda(parts), "logs": OnDemand(_logs, parts), **here}


def _user_pools(parts: Parts) -> CognitoService:
    protocol = JsonRpc(load_service_model("cognito-idp"), violation=_INVALID)
    return CognitoService(parts.office, protocol, parts.user_pools, parts.forget_pool_keys)


def _iam(parts: Parts) -> IamService:
    return IamService(parts.office, Query(load_service_model("iam")), parts.vault, parts.callers)


def _sts(parts: Parts) -> StsService:
    return StsService(parts.office, Query(load_service_model("sts")), parts.callers, parts.sessions)


def _apis(parts: Parts) -> RestApiService:
    protocol = RestJson(load_service_model("apigateway"), nested_paths=True)
    return RestApiService(parts.office, protocol, parts.functions, parts.tester, parts.flush_authorizers)


def _lambda(parts: Parts) -> LambdaService:
    protocol = RestJson(load_service_model("lambda"), nested_paths=False, capital_errors=True)
    folders = LocalFolders(parts.settings.allows_local_folders)
    return LambdaService(parts.office, protocol, parts.functions, parts.events, S3Objects(parts.caller), folders)


def _logs(parts: Parts) -> LogsService:
    return LogsService(parts.office, JsonRpc(load_service_model("logs"), violation=_INVALID), parts.functions)
