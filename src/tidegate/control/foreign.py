"""Calls for services that are not ours, where callers have to prove who they are and be allowed what they ask.

Which operation a call means is read by botocore's model of the service: from X-Amz-Target or the Action of a form, or from verb
and path. The resource is not read: a caller needs the action on `*`, and a Deny that names resources or conditions counts, since
nobody can tell that it does not apply. Not here: passing the call on (`neighbours`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import orjson
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel

from tidegate.aws.model import load_service_model
from tidegate.aws.policy import CompiledPolicy, Policies
from tidegate.aws.policy import Request as Question
from tidegate.aws.rest import RestJson
from tidegate.aws.scope import Credential, read_credential, service_of_target
from tidegate.control.access import UNKNOWN_RESOURCE, Access, Need
from tidegate.core.errors import ControlError
from tidegate.core.message import Handler, Headers, Request, Response
from tidegate.state.callers import Caller

_UNRESOLVED = ("Resource", "NotResource", "Condition")


class Foreign:
    def __init__(self, access: Access, region: str, pass_on: Handler, is_elsewhere: Callable[[str], bool]) -> None:
        """`is_elsewhere`: whether a service is reached by an endpoint that the operator gave."""
        self._is_elsewhere = is_elsewhere
        self._access = access
        self._region = region
        self._pass_on = pass_on

    async def handle(self, request: Request) -> Response:
        credential = read_credential(request) or Credential("", "", "")
        style = _style(credential.service)
        try:
            caller = self._access.identify(request, credential, style)
            self._require(caller, credential, request, style)
        except ControlError as error:
            return _refused(error, style)
        return await self._pass_on(self._readdressed(request, caller, credential))

    def _readdressed(self, request: Request, caller: Caller, credential: Credential) -> Request:
        """The neighbours that run here know accounts by their numbers, and look at no signature."""
        if self._is_elsewhere(credential.service):
            return request
        old, new = f"={credential.access_key}/".encode(), f"={caller.account}/".encode()
        request.headers = Headers(
            [
                (lower, name, value.replace(old, new, 1) if lower == b"authorization" else value)
                for lower, name, value in request.headers.entries
            ]
        )
        return request

    def _require(self, caller: Caller, credential: Credential, request: Request, style: str) -> None:
        region = credential.region or self._region
        need = Need(f"{credential.service}:{_operation(credential.service, request)}")
        decision = self._access.decision(caller, need, request, region)
        if decision.allowed and _may_be_denied(caller.policies, need, caller):
            decision = UNKNOWN_RESOURCE
        if not decision.allowed:
            self._access.refuse(caller, need, decision, style)


def _may_be_denied(policies: Policies, need: Need, caller: Caller) -> bool:
    """Whether a statement denies the action for some resources, or in some cases."""
    question = Question(need.action, need.resource, caller.principal, caller.context)
    return any(_denies_somewhere(policy, question) for _, policy in policies.named())


def _denies_somewhere(policy: CompiledPolicy, question: Question) -> bool:
    return any(step.effect == "Deny" and step.failed in _UNRESOLVED for step in policy.explain(question))


def _operation(service: str, request: Request) -> str:
    """Raises ControlError for a call that names none, or more than one: which of them the neighbour would take is its affair."""
    protocol = _protocol(service)
    target = request.headers.get(b"x-amz-target")
    if target is not None and (protocol is None or not _is_target_of(target.decode("latin-1"), protocol.service)):
        named = set()
    elif protocol is not None and protocol.service.metadata["protocol"].startswith("rest"):
        found = protocol.match(request)
        named = set() if found is None else {found[0].name}
    else:
        named = set(_named(request))
    if len(named) != 1 or _is_of_neighbours(request.path):
        text = f"Tidegate cannot tell which operation of {service} {request.method} {request.path} is"
        raise ControlError("AccessDeniedException", text, 403)
    return named.pop()


def _named(request: Request) -> Iterator[str]:
    target = request.headers.get(b"x-amz-target")
    if target is not None:
        yield target.decode("latin-1").rpartition(".")[2]
    forms = [request.query]
    if b"json" not in (request.headers.get(b"content-type") or b""):
        forms.append(request.body.decode("utf-8", "replace"))
    yield from (value for form in forms for name, value in parse_qsl(form) if name == "Action")


def _is_target_of(target: str, service: ServiceModel) -> bool:
    """Some services have several prefixes (DynamoDB its streams')."""
    named = service_of_target(target)
    prefix = target.rpartition(".")[0]
    return bool(service.signing_name == named or prefix == service.metadata.get("targetPrefix"))


def _is_of_neighbours(path: str) -> bool:
    """What the neighbours (moto) offer beside AWS's services: everything of everybody, and forgetting it."""
    return next((part for part in unquote(path).split("/") if part), "").lower() == "moto-api"


@lru_cache(maxsize=64)
def _protocol(service: str) -> RestJson | None:
    """The path forms of a service; None: botocore has no model of that name."""
    try:
        return RestJson(load_service_model(service), nested_paths=False)
    except UnknownServiceError:
        return None


def _style(service: str) -> str:
    protocol = _protocol(service) if service else None
    name = "json" if protocol is None else str(protocol.service.metadata["protocol"])
    return name if name in ("query", "rest-json", "rest-xml") else "json"


def _refused(error: ControlError, style: str) -> Response:
    if style in ("query", "rest-xml"):
        body = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        if style == "query":
            body = f"<ErrorResponse>{body}</ErrorResponse>"
        return Response(error.status, [(b"Content-Type", b"text/xml")], body.encode())
    head = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", error.code.encode())]
    return Response(error.status, head, orjson.dumps({"__type": error.code, "message": error.message}))
