"""Who calls a management API, and whether they may: signatures proved, identities' policies asked, as AWS does.

`off`: any credentials are taken for what they say. `soft`: the same, and the log says what would have been refused. `enforce`:
what is not allowed is refused. Sources: *Common errors* of each API, *Troubleshoot access denied error messages*. Not here: the
action and resource of an operation (each service), whose keys there are (`state.callers`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol
from urllib.parse import parse_qs

from tidegate.aws.policy import Decision, Effect, Policies, PolicyType, Reason, decide
from tidegate.aws.policy import Request as Question
from tidegate.aws.scope import Credential
from tidegate.aws.sigv4_verify import Claim, SignatureError, read_claim, verify
from tidegate.core.clock import Clock
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.state.callers import Caller, root_caller

log = logging.getLogger("tidegate.access")


class Mode(Enum):
    OFF = "off"
    SOFT = "soft"
    ENFORCE = "enforce"


class CallerSource(Protocol):
    def find(self, access_key: str, token: str | None) -> Caller | None:
        """None: no such key. Raises SignatureError."""
        ...

    def used(self, access_key: str, service: str, region: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Need:
    """What an operation has to be allowed."""

    action: str
    resource: str = "*"
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """Condition keys of the operation."""


PASS_ROLE = "iam:PassRole"  # noqa: S105 - an action
_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a message
_UNSIGNED = SignatureError("MissingAuthenticationToken", "Missing Authentication Token")
_STATUSES = {"rest-json": 403, "json": 400, "query": 403, "rest-xml": 403}
_XML = ("query", "rest-xml")
_QUERY_CODES = {
    "InvalidSignature": "SignatureDoesNotMatch",
    "UnrecognizedClient": "InvalidClientTokenId",
    "MissingAuthenticationToken": "MissingAuthenticationToken",
}
"""The query protocol has names of its own for some, and none of its errors ends in Exception."""


class Access:
    """The one door of all management APIs. `account`: of callers that name none."""

    def __init__(self, mode: Mode, known: CallerSource, believed: CallerSource, account: str, clock: Clock) -> None:
        """`known`: whose keys there are. `believed`: who is taken for somebody where nothing is enforced."""
        self.mode = mode
        self._known = known
        self._believed = believed
        self._account = account
        self.clock = clock

    @property
    def proves(self) -> bool:
        """Whether callers have proved who they are."""
        return self.mode is Mode.ENFORCE

    def identify(self, request: Request, credential: Credential, style: str) -> Caller:
        """`style`: the protocol, which has a say in how errors read. Raises ControlError."""
        try:
            if self.mode is Mode.ENFORCE:
                return self._proved(request, credential)
            if self.mode is Mode.SOFT:
                self._tell_unproved(request, credential)
            return self._said(request, credential)
        except SignatureError as error:
            raise _control_error(error, style) from None

    def nobody(self) -> Caller:
        """Who calls what needs no signature: of the account of callers that name none."""
        return root_caller(self._account, "")

    def require(self, caller: Caller, needs: Sequence[Need], request: Request, region: str, style: str) -> None:
        """Raises ControlError unless the caller may do all of it."""
        if self.mode is Mode.OFF:
            return
        for need in needs:
            decision = self.decision(caller, need, request, region)
            if need.action == PASS_ROLE and need.resource.split(":", 5)[4:5] != [caller.account]:
                # AWS: cross-account pass role is not allowed.
                decision = Decision(Effect.IMPLICIT_DENY, Reason.NOT_ALLOWED, need.action, PolicyType.RESOURCE)
            if not decision.allowed:
                self.refuse(caller, need, decision, style)

    def decision(
        self, caller: Caller, need: Need, request: Request, region: str, *, policies: Policies | None = None
    ) -> Decision:
        """In any mode. `policies`: other ones than the caller's alone."""
        return decide(self.question(caller, need, request, region), policies or caller.policies)

    def refuse(self, caller: Caller, need: Need, decision: Decision, style: str) -> None:
        """Raises ControlError, or says in the log that it would have (soft)."""
        text = f"{caller.principal.arn} {need.action} on {need.resource}: {decision.why}"
        # What a caller names must not look like another line.
        line = "".join(character if character.isprintable() else "?" for character in text)
        if self.mode is Mode.SOFT:
            log.warning("--iam enforce would refuse %s", line)
            return
        log.info("refused %s", line)
        raise denied(caller, need.action, need.resource, decision, style)

    def _proved(self, request: Request, credential: Credential) -> Caller:
        """Raises SignatureError."""
        claim = read_claim(
            request, service=credential.service, region=credential.region or "us-east-1", now=self.clock.now()
        )
        if claim is None:
            raise _UNSIGNED
        caller = self._known.find(claim.access_key, claim.token)
        if caller is None:
            raise SignatureError("UnrecognizedClient", _INVALID_TOKEN)
        verify(claim, request, caller.secret_key)
        self._check_session(caller, claim)
        self._known.used(claim.access_key, claim.scope.service, claim.scope.region)
        return caller

    @staticmethod
    def _check_session(caller: Caller, claim: Claim) -> None:
        """AWS: what GetSessionToken gives is no good for IAM without MFA."""
        session = caller.session
        if session is not None and session.kind != "Role" and claim.scope.service == "iam":
            raise SignatureError("UnrecognizedClient", _INVALID_TOKEN)

    def _said(self, request: Request, credential: Credential) -> Caller:
        """Whoever the request says that it is of; nobody known: the account's root. Raises SignatureError (ExpiredToken)."""
        try:
            caller = self._believed.find(credential.access_key, _token(request))
        except SignatureError as error:
            if error.code == "ExpiredToken":
                raise
            caller = None
        return root_caller(self._account, "") if caller is None else caller

    def _tell_unproved(self, request: Request, credential: Credential) -> None:
        try:
            self._proved(request, credential)
        except SignatureError as error:
            log.warning("--iam enforce would refuse %s %s: %s", request.method, request.path, error)

    def question(self, caller: Caller, need: Need, request: Request, region: str) -> Question:
        """What policies are asked."""
        context = {**caller.context, **self._context(request, region, caller.account), **need.context}
        return Question(need.action, need.resource, caller.principal, context)

    def _context(self, request: Request, region: str, account: str) -> dict[str, str | Sequence[str]]:
        """Global condition keys that tell of the request."""
        now = self.clock.time()
        context: dict[str, str | Sequence[str]] = {
            "aws:SourceIp": request.peer,
            "aws:SecureTransport": "true" if request.scheme == "https" else "false",
            "aws:CurrentTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:EpochTime": str(int(now)),
            "aws:RequestedRegion": region,
            "aws:ResourceAccount": account,
        }
        for key, name in (("aws:UserAgent", b"user-agent"), ("aws:Referer", b"referer")):
            value = request.headers.get(name)
            if value is not None:
                context[key] = value.decode("utf-8", "replace")
        return context


def denied(caller: Caller, action: str, resource: str, decision: Decision, style: str) -> ControlError:
    """As AWS says it."""
    text = (
        f"User: {caller.principal.arn} is not authorized to perform: {action} on resource: {resource}{decision.suffix}"
    )
    code = "AccessDenied" if style in _XML else "AccessDeniedException"
    return ControlError(code, text, _STATUSES[style])


UNKNOWN_RESOURCE = Decision(Effect.EXPLICIT_DENY, Reason.DENIED, "", PolicyType.IDENTITY)
"""A statement denies the action for some resources or in some cases, and nobody can tell whether this is one."""


def _control_error(error: SignatureError, style: str) -> ControlError:
    if style in _XML:
        code = _QUERY_CODES.get(error.code, error.code)
        status = 400 if code == "IncompleteSignature" else 403
        return ControlError(code, error.message, status)
    return ControlError(f"{error.code}Exception", error.message, _STATUSES[style])


def _token(request: Request) -> str | None:
    header = request.headers.get(b"x-amz-security-token")
    if header is not None:
        return header.decode("latin-1")
    if "X-Amz-Security-Token=" in request.query:
        return parse_qs(request.query)["X-Amz-Security-Token"][0]
    return None
