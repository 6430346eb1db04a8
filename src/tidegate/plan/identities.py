"""From the records of identities to what callers are found by: policies compiled, secrets opened."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable

from tidegate.aws.policy import CompiledPolicy, Kind, PolicyError, compile_policy
from tidegate.aws.scope import Scope
from tidegate.core.vault import Vault, VaultError
from tidegate.definition.records import AccessKey, Group, Identity, ManagedPolicy, Record, Role, User
from tidegate.definition.store import Change, Store
from tidegate.state.callers import DENY_ALL, AccessKeyEntry, IdentityChanges, IdentityEntry, policy_key

log = logging.getLogger("tidegate.plan")

ACCESS_KEYS = "access-key"
"""The vault's purpose."""
_IDENTITIES: tuple[type[Record], ...] = (User, Group, Role)
KINDS: tuple[type[Record], ...] = (*_IDENTITIES, ManagedPolicy, AccessKey)


def all_identities(store: Store, vault: Vault) -> IdentityChanges:
    found = IdentityChanges()
    for kind in KINDS:
        for scope, record in store.scan(kind):
            _add(found, kind, record.key, record, scope, vault)
    return found


def changed_identities(changes: Iterable[Change], vault: Vault) -> IdentityChanges:
    found = IdentityChanges()
    for change in changes:
        if change.kind in KINDS:
            _add(found, change.kind, change.key, change.record, change.scope, vault)
    return found


def _add(
    found: IdentityChanges,
    kind: type[Record],
    key: tuple[str, ...],
    record: Record | None,
    scope: Scope,
    vault: Vault,
) -> None:
    if kind is AccessKey:
        found.keys[key[0]] = _key_entry(record, scope, vault) if isinstance(record, AccessKey) else None
    elif kind is ManagedPolicy:
        compiled = _compiled(record.default.document, record.name) if isinstance(record, ManagedPolicy) else None
        found.policies[scope.account, key[0]] = compiled
        found.policy_tags[scope.account, key[0]] = record.tags if isinstance(record, ManagedPolicy) else None
    else:
        entry = identity_entry(record, scope.account) if isinstance(record, Identity) else None
        found.identities[kind.__name__, scope.account, key[0]] = entry


def identity_arn(record: Identity, account: str) -> str:
    return f"arn:aws:iam::{account}:{type(record).__name__.lower()}{record.path}{record.name}"


def identity_entry(record: Identity, account: str) -> IdentityEntry:
    boundary = record.boundary if isinstance(record, User | Role) else None
    return IdentityEntry(
        name=record.name,
        arn=identity_arn(record, account),
        id=record.id,
        inline=tuple(_compiled(document, name) for name, document in record.inline.items()),
        attached=tuple(map(policy_key, record.attached)),
        boundary=boundary,
        groups=tuple(record.groups) if isinstance(record, User) else (),
        tags=record.tags if isinstance(record, User | Role) else {},
        trust=_compiled(record.trust, "trust policy", Kind.TRUST) if isinstance(record, Role) else None,
        longest=record.max_session_duration if isinstance(record, Role) else 0,
    )


def _compiled(document: str, name: str, kind: Kind = Kind.IDENTITY) -> CompiledPolicy:
    try:
        return compile_policy(document, source_name=name, kind=kind)
    except PolicyError as error:
        log.error("policy %s cannot be read, and denies everything: %s", name, error)
        return DENY_ALL


def _key_entry(key: AccessKey, scope: Scope, vault: Vault) -> AccessKeyEntry | None:
    try:
        secret = vault.open(ACCESS_KEYS, key.id, base64.b64decode(key.secret))
    except VaultError as error:
        log.error("an access key is refused: %s", error)
        return None
    return AccessKeyEntry(scope.account, key.user, secret.decode(), key.status == "Active")
