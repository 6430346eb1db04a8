"""Whose keys there are: access keys and sessions, and all policies that have a say about their owners.

Brought up to date entry by entry as identities change; what a caller may do is put together once after a change and then found
by the key. Source: *Policy evaluation logic*, *AWS global condition context keys*. Not here: proving a signature, deciding.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from tidegate.aws.policy import CompiledPolicy, Kind, Policies, PolicyError, Principal, compile_policy
from tidegate.aws.policy.managed import AWS_MANAGED
from tidegate.aws.sigv4_verify import SignatureError
from tidegate.state.sessions import NoSession, Session, Sessions

K = TypeVar("K")
V = TypeVar("V")

_COLONS = 5
"""Of an ARN, at least."""
_MOST_SESSIONS = 4096
"""Tokens whose callers are kept ready."""
_INVALID = "The security token included in the request is invalid."
DENY_ALL = compile_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}},
    source_name="in the place of one that cannot be read",
)
"""What cannot be read may have denied."""

IdentityKey = tuple[str, str, str]
"""Kind (`User`, `Group`, `Role`), account, and the record's key."""
PolicyKey = tuple[str, str]
"""Account and the record's key; AWS's own are of the account `aws`."""


def policy_key(arn: str) -> PolicyKey:
    return arn.split(":", 5)[4], arn.rpartition("/")[2].lower()


@dataclass(frozen=True, slots=True)
class IdentityEntry:
    """A user, group or role with its policies compiled."""

    name: str
    arn: str
    id: str
    inline: tuple[CompiledPolicy, ...] = ()
    attached: tuple[PolicyKey, ...] = ()
    boundary: str | None = None
    """The ARN of a managed policy."""
    groups: tuple[str, ...] = ()
    """Keys of the groups of a user."""
    tags: Mapping[str, str] = field(default_factory=dict)
    trust: CompiledPolicy | None = None
    """Of a role: who may assume it."""
    longest: int = 0
    """Of a role: seconds that a session may last."""


@dataclass(frozen=True, slots=True)
class AccessKeyEntry:
    account: str
    user: str
    """The key of the user's record."""
    secret_key: str = field(repr=False)
    active: bool = True


@dataclass(slots=True)
class IdentityChanges:
    """What a commit changed; None: gone."""

    identities: dict[IdentityKey, IdentityEntry | None] = field(default_factory=dict)
    policies: dict[PolicyKey, CompiledPolicy | None] = field(default_factory=dict)
    policy_tags: dict[PolicyKey, Mapping[str, str] | None] = field(default_factory=dict)
    """Of the same policies."""
    keys: dict[str, AccessKeyEntry | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key signed a request."""

    secret_key: str = field(repr=False)
    principal: Principal
    caller: str
    """`$context.identity.caller`: the id of the principal, for root users the account."""
    policies: Policies
    account: str
    identity: IdentityEntry | None = None
    """The user or role; None: an account's root."""
    session: Session | None = None
    """Of temporary credentials."""
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """Condition keys that tell of the caller."""


@dataclass(frozen=True, slots=True)
class LastUse:
    at: float
    service: str
    region: str


class Callers:
    """All identities of all accounts. `open`: sessions count that were given to somebody who had proved nothing."""

    def __init__(self, sessions: Sessions, now: Callable[[], float], *, open_to_all: bool) -> None:
        self._sessions = sessions
        self._now = now
        self._open = open_to_all
        self._keys: dict[str, AccessKeyEntry] = {}
        self._identities: dict[IdentityKey, IdentityEntry] = {}
        self._policies: dict[PolicyKey, CompiledPolicy] = {}
        self._policy_tags: dict[PolicyKey, Mapping[str, str]] = {}
        self._ready: dict[str, Caller] = {}
        self._of_tokens: OrderedDict[tuple[str, str], tuple[Session, Caller | None]] = OrderedDict()
        self._last_uses: dict[str, LastUse] = {}
        self._add_aws_managed()

    def _add_aws_managed(self) -> None:
        for policy in AWS_MANAGED.values():
            self._policies[policy_key(policy.arn)] = compile_policy(policy.document, source_name=policy.name)

    def publish(self, changes: IdentityChanges) -> None:
        if not (changes.identities or changes.policies or changes.keys):
            return
        _merge(self._identities, changes.identities)
        _merge(self._policies, changes.policies)
        _merge(self._policy_tags, changes.policy_tags)
        _merge(self._keys, changes.keys)
        self._ready.clear()
        self._of_tokens.clear()

    def clear(self) -> None:
        """AWS's own policies stay."""
        self._keys.clear()
        self._identities.clear()
        self._policies.clear()
        self._policy_tags.clear()
        self._ready.clear()
        self._of_tokens.clear()
        self._last_uses.clear()
        self._add_aws_managed()

    def find(self, access_key: str, token: str | None) -> Caller | None:
        """None: no such key. Raises SignatureError (ExpiredToken, UnrecognizedClient)."""
        if token:
            return self._of_token(access_key, token)
        caller = self._ready.get(access_key)
        if caller is None:
            entry = self._keys.get(access_key)
            if entry is None or not entry.active:
                return None
            user = self._identities.get(("User", entry.account, entry.user))
            if user is None:
                return None
            caller = self._ready[access_key] = self._user(user, entry.account, entry.secret_key, None)
        return caller

    def used(self, access_key: str, service: str, region: str) -> None:
        """A request was proved to be of this key."""
        if access_key in self._keys:
            self._last_uses[access_key] = LastUse(self._now(), service, region)

    def last_use(self, access_key: str) -> LastUse | None:
        """Since this server started."""
        return self._last_uses.get(access_key)

    def owner(self, access_key: str) -> str | None:
        """The ARN of a key's user."""
        entry = self._keys.get(access_key)
        user = None if entry is None else self._identities.get(("User", entry.account, entry.user))
        return None if user is None else user.arn

    def identity(self, kind: str, account: str, key: str) -> IdentityEntry | None:
        return self._identities.get((kind, account, key))

    def policy(self, arn: str) -> CompiledPolicy | None:
        return self._policies.get(policy_key(arn))

    def tags_of_policy(self, arn: str) -> Mapping[str, str]:
        return self._policy_tags.get(policy_key(arn), {}) if arn.count(":") >= _COLONS else {}

    def policies_of(self, entry: IdentityEntry, account: str) -> Policies:
        """What is attached to a user or a role, without session policies."""
        groups = [self._identities.get(("Group", account, key)) for key in entry.groups]
        holders = [entry, *(group for group in groups if group is not None)]
        identity = [policy for holder in holders for policy in holder.inline]
        identity += [self._policies.get(key, DENY_ALL) for holder in holders for key in holder.attached]
        boundary = None
        if entry.boundary is not None:
            boundary = self._policies.get(policy_key(entry.boundary), DENY_ALL)
        return Policies(identity=tuple(identity), boundary=boundary)

    def of_session(self, session: Session) -> Caller | None:
        """None: the identity that it was made for is no more."""
        if session.kind == "Root":
            return root_caller(session.account, session.secret_key, session)
        entry = self._identities.get((session.kind, session.account, session.identity))
        if entry is None or entry.id != session.identity_id:
            return None
        make = self._role if session.kind == "Role" else self._user
        return make(entry, session.account, session.secret_key, session)

    def _of_token(self, access_key: str, token: str) -> Caller | None:
        held = self._of_tokens.get((access_key, token))
        if held is None:
            try:
                session = self._sessions.read(access_key, token)
            except NoSession:
                raise SignatureError("UnrecognizedClient", _INVALID) from None
            trusted = self._open or session.proved
            held = (session, self.of_session(session) if trusted else None)
            self._of_tokens[access_key, token] = held
            if len(self._of_tokens) > _MOST_SESSIONS:
                self._of_tokens.popitem(last=False)
        session, caller = held
        if session.expires <= self._now():
            raise SignatureError("ExpiredToken", "The security token included in the request is expired")
        return caller

    def _user(self, entry: IdentityEntry, account: str, secret_key: str, session: Session | None) -> Caller:
        principal = Principal.user(entry.arn)
        context = _context(principal, entry.id, entry.tags, session) | {"aws:username": entry.name}
        return Caller(
            secret_key, principal, entry.id, self.policies_of(entry, account), account, entry, session, context
        )

    def _role(self, entry: IdentityEntry, account: str, secret_key: str, session: Session) -> Caller:
        arn = f"arn:aws:sts::{account}:assumed-role/{entry.name}/{session.name}"
        principal, caller = Principal.role_session(arn, entry.arn), f"{entry.id}:{session.name}"
        policies = self.policies_of(entry, account)
        if session.has_policies:
            policies = Policies(policies.identity, policies.boundary, session=self._session_policies(session))
        context = _context(principal, caller, {**entry.tags, **session.tags}, session)
        # AWS: the principal's ARN is the role's, for conditions.
        context["aws:PrincipalArn"] = entry.arn
        return Caller(secret_key, principal, caller, policies, account, entry, session, context)

    def _session_policies(self, session: Session) -> tuple[CompiledPolicy, ...]:
        named = [self._policies.get(policy_key(arn), DENY_ALL) for arn in session.policy_arns]
        return (*(_session_policy(document) for document in session.policies), *named)


def _session_policy(document: str) -> CompiledPolicy:
    try:
        return compile_policy(document, source_name="of the session", kind=Kind.IDENTITY)
    except PolicyError:
        return DENY_ALL


def _merge(known: dict[K, V], changes: Mapping[K, V | None]) -> None:
    for key, value in changes.items():
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value


def _context(
    principal: Principal, user_id: str, tags: Mapping[str, str], session: Session | None
) -> dict[str, str | Sequence[str]]:
    context: dict[str, str | Sequence[str]] = {
        "aws:PrincipalArn": principal.arn or "",
        "aws:PrincipalAccount": principal.account or "",
        "aws:PrincipalType": principal.type,
        "aws:userid": user_id,
    }
    context |= {f"aws:PrincipalTag/{name}": value for name, value in tags.items()}
    if session is not None:
        issued = datetime.fromtimestamp(session.issued, UTC)
        context["aws:TokenIssueTime"] = issued.strftime("%Y-%m-%dT%H:%M:%SZ")
        context["aws:MultiFactorAuthPresent"] = "false"
        if session.source_identity:
            context["aws:SourceIdentity"] = session.source_identity
    return context


def root_caller(account: str, secret_key: str, session: Session | None = None) -> Caller:
    principal = Principal.root(account)
    context = _context(principal, account, {}, session)
    return Caller(secret_key, principal, account, Policies(), account, None, session, context)


@lru_cache(maxsize=256)
def _root(account: str) -> Caller:
    return root_caller(account, "test")


class LocalCallers:
    """Where nothing is enforced: `test` and every account's number, each with the secret `test`, are the root of their account,
    beside the keys that there are."""

    def __init__(self, callers: Callers, account: str) -> None:
        self._callers = callers
        self._account = account

    def find(self, access_key: str, token: str | None) -> Caller | None:
        """As `Callers.find`."""
        account = self.account(access_key)
        return self._callers.find(access_key, token) if account is None else _root(account)

    def account(self, access_key: str) -> str | None:
        """Whose root a key is."""
        if access_key == "test":
            return self._account
        return access_key if len(access_key) == 12 and access_key.isascii() and access_key.isdigit() else None

    def used(self, access_key: str, service: str, region: str) -> None:
        self._callers.used(access_key, service, region)
