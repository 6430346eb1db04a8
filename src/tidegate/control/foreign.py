"""Calls for services that are not ours, where callers have to prove who they are and be allowed what they ask.

What a call means is read by `foreign_calls`. Where its resource cannot be read, a caller needs the action on `*`, and a Deny that
names resources counts, since nobody can tell that it does not apply; so do conditions on keys of the service itself. Not here:
passing the call on (`neighbours`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from xml.sax.saxutils import escape

import orjson

from tidegate.aws.policy import Request as Question
from tidegate.aws.scope import Credential, Scope, read_credential
from tidegate.control.access import UNKNOWN_RESOURCE, Access
from tidegate.control.foreign_calls import meaning, protocol
from tidegate.control.foreign_s3 import host_of_bucket
from tidegate.core.errors import ControlError
from tidegate.core.message import Handler, Headers, Request, Response
from tidegate.state.callers import Caller

log = logging.getLogger("tidegate.access")

_RESOURCES = ("Resource", "NotResource")
_SAID_ONCE = (b"content-encoding", b"content-type", b"host")


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
            request.headers = Headers(_framed(request))
            return request
        old, new = f"={credential.access_key}/".encode(), f"={caller.account}/".encode()
        headers = [
            (lower, name, value.replace(old, new, 1) if lower == b"authorization" else value)
            for lower, name, value in _framed(request)
        ]
        if credential.service == "s3" and self._access.proves:
            return _by_path(request, headers)
        request.headers = Headers(headers)
        return request

    def _require(self, caller: Caller, credential: Credential, request: Request, style: str) -> None:
        region = credential.region or self._region
        try:
            _require_one_meaning(request)
            told = meaning(credential.service, request, Scope(caller.account, region))
        except ControlError as error:
            if self._access.proves:
                raise
            log.warning("--iam enforce would refuse %s: %s", caller.principal.arn, error)
            return
        for need in told.needs:
            decision = self._access.decision(caller, need, request, region)
            question = self._access.question(caller, need, request, region)
            if decision.allowed and not _certain(caller, credential.service, question, exact=told.exact):
                decision = UNKNOWN_RESOURCE
            if not decision.allowed:
                self._access.refuse(caller, need, decision, style)


def _require_one_meaning(request: Request) -> None:
    """Of a field that comes twice one is read here, and another by the neighbour; some servers take `_` in a name for `-`.

    Raises ControlError.
    """
    names = [lower.replace(b"_", b"-") for lower, _, _ in request.headers.entries]
    telling = [name for name in names if name.startswith(b"x-amz-") or name in _SAID_ONCE]
    if len(telling) != len(set(telling)):
        raise ControlError("AccessDeniedException", "Headers that tell what a call is about have to be sent once", 403)


def _framed(request: Request) -> list[tuple[bytes, bytes, bytes]]:
    """A body that came in chunks is there as a whole by now, and has to say how long it is."""
    entries = list(request.headers.entries)
    if request.body and b"content-length" not in request.headers:
        entries.append((b"content-length", b"Content-Length", str(len(request.body)).encode()))
    return entries


def _by_path(request: Request, headers: list[tuple[bytes, bytes, bytes]]) -> Request:
    """The bucket where the neighbour looks for it, so that it cannot find another than was looked at here."""
    bucket, host = host_of_bucket(request)
    target = b"/" + bucket.encode() + request.target if bucket else request.target
    moved = [(lower, name, host.encode() if lower == b"host" else value) for lower, name, value in headers]
    again = Request(
        method=request.method,
        target=target,
        headers=Headers(moved),
        body=request.body,
        http_version=request.http_version,
        scheme=request.scheme,
        peer=request.peer,
    )
    again.received_ns = request.received_ns
    return again


def _certain(caller: Caller, service: str, question: Question, *, exact: bool) -> bool:
    """Whether nothing that was not read could make it a denial: resources, and condition keys of the service."""
    keys = (f"{service}:", "aws:resourcetag/")
    for _, policy in caller.policies.named():
        for statement in policy.statements:
            step = statement.explain(question, policy.source_name)
            asks = any(condition.key.lower().startswith(keys) for condition in statement.text.conditions)
            denies = not statement.text.allow
            if denies and ((step.failed == "Condition" and asks) or (not exact and step.failed in _RESOURCES)):
                return False
            if not denies and step.matched and asks:
                # It held for want of the key.
                return False
    return True


def _style(service: str) -> str:
    found = protocol(service) if service else None
    name = "json" if found is None else str(found.service.metadata["protocol"])
    return name if name in ("query", "rest-json", "rest-xml") else "json"


def _refused(error: ControlError, style: str) -> Response:
    if style in ("query", "rest-xml"):
        body = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        if style == "query":
            body = f"<ErrorResponse>{body}</ErrorResponse>"
        return Response(error.status, [(b"Content-Type", b"text/xml")], body.encode())
    head = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", error.code.encode())]
    return Response(error.status, head, orjson.dumps({"__type": error.code, "message": error.message}))
