"""Calls for services that are not ours, where callers have to prove who they are and be allowed what they ask.

Which operation a call means is read as far as its protocol says it plainly: X-Amz-Target, or the Action of a form; for other
services by botocore's model. The resource is not read: a caller needs the action on `*`, and a Deny that names resources or
conditions counts, since nobody can tell that it does not apply. Not here: passing the call on (`neighbours`).
"""

from __future__ import annotations

from functools import lru_cache

import orjson
from botocore.exceptions import UnknownServiceError

from tidegate.aws.model import load_service_model
from tidegate.aws.policy import CompiledPolicy, Policies
from tidegate.aws.policy import Request as Question
from tidegate.aws.query import read_form
from tidegate.aws.rest import RestJson
from tidegate.aws.scope import Credential, read_credential
from tidegate.control.access import UNKNOWN_RESOURCE, Access, Need
from tidegate.core.errors import ControlError
from tidegate.core.message import Handler, Request, Response
from tidegate.state.callers import Caller

_UNRESOLVED = ("Resource", "NotResource", "Condition")


class Foreign:
    def __init__(self, access: Access, region: str, pass_on: Handler) -> None:
        self._access = access
        self._region = region
        self._pass_on = pass_on

    async def handle(self, request: Request) -> Response:
        credential = read_credential(request)
        if credential is None:
            return _refused(ControlError("MissingAuthenticationTokenException", "Missing Authentication Token", 403))
        try:
            caller = self._access.identify(request, credential, "json")
            self._require(caller, credential, request)
        except ControlError as error:
            return _refused(error)
        return await self._pass_on(request)

    def _require(self, caller: Caller, credential: Credential, request: Request) -> None:
        region = credential.region or self._region
        need = Need(f"{credential.service}:{_operation(credential.service, request)}")
        decision = self._access.decision(caller, need, request, region)
        if decision.allowed and _may_be_denied(caller.policies, need, caller):
            decision = UNKNOWN_RESOURCE
        if not decision.allowed:
            self._access.refuse(caller, need, decision, "json")


def _may_be_denied(policies: Policies, need: Need, caller: Caller) -> bool:
    """Whether a statement denies the action for some resources, or in some cases."""
    question = Question(need.action, need.resource, caller.principal, caller.context)
    return any(_denies_somewhere(policy, question) for _, policy in policies.named())


def _denies_somewhere(policy: CompiledPolicy, question: Question) -> bool:
    return any(step.effect == "Deny" and step.failed in _UNRESOLVED for step in policy.explain(question))


def _operation(service: str, request: Request) -> str:
    """Raises ControlError for a call that names no operation."""
    target = request.headers.get(b"x-amz-target")
    if target is not None:
        return target.decode("latin-1").rpartition(".")[2]
    if (request.headers.get(b"content-type") or b"").startswith(b"application/x-www-form-urlencoded"):
        return read_form(request).get("Action") or "*"
    protocol = _by_model(service)
    found = None if protocol is None else protocol.match(request)
    if found is None:
        text = f"Tidegate cannot tell which operation of {service} {request.method} {request.path} is"
        raise ControlError("AccessDeniedException", text, 403)
    return found[0].name


@lru_cache(maxsize=64)
def _by_model(service: str) -> RestJson | None:
    """The path forms of a service."""
    try:
        return RestJson(load_service_model(service), nested_paths=False)
    except UnknownServiceError:
        return None


def _refused(error: ControlError) -> Response:
    head = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", error.code.encode())]
    return Response(error.status, head, orjson.dumps({"__type": error.code, "message": error.message}))
