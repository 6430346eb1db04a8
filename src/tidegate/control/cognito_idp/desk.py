"""What an operation of user pools gets to work with, and how the costly parts leave the management thread.

An operation runs in a transaction of the one management thread. Where it needs something slow — a password's hash, a new key
pair, SRP's powers, a signature — it returns a `Costly`: that work runs in threads of its own, and what comes of it goes to the
next step, a transaction of its own, which looks at the records anew. Neither the event loop nor other calls wait meanwhile.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.cognito_idp.attempts import Attempts, Spent
from tidegate.control.cognito_idp.errors import invalid
from tidegate.control.cognito_idp.outbox import Outbox
from tidegate.control.cognito_idp.sealing import SecretBox
from tidegate.control.cognito_idp.signing import Signers
from tidegate.control.context import Context
from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.core.vault import Vault
from tidegate.definition.records import Record
from tidegate.definition.store import Transaction

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Tools:
    """What lives as long as the server."""

    secrets: SecretBox
    outbox: Outbox
    attempts: Attempts
    spent: Spent
    signers: Signers

    @classmethod
    def made_of(cls, vault: Vault, clock: Clock) -> Tools:
        secrets = SecretBox(vault)
        return cls(secrets, Outbox(), Attempts(clock.time), Spent(clock.time), Signers(secrets))

    def forget(self) -> None:
        """Everything was reset."""
        self.outbox.clear()
        self.attempts.clear()


@dataclass(frozen=True, slots=True)
class Desk:
    """One step of one operation."""

    context: Context
    tools: Tools

    @property
    def tx(self) -> Transaction:
        return self.context.tx

    @property
    def scope(self) -> Scope:
        return self.context.scope

    @property
    def ids(self) -> Ids:
        return self.context.ids

    @property
    def now(self) -> float:
        return self.context.clock.time()


@dataclass(frozen=True, slots=True)
class Costly:
    """Work for another thread, and the step that follows; without one, what comes of it is the answer."""

    work: Callable[[], Any]
    then: Callable[[Desk, Any], Any] | None = None


Operation: TypeAlias = Callable[[Desk, Params], Any]
"""Returns the answer or a Costly. Raises ControlError."""


def page(desk: Desk, kind: type[R], *prefix: str, params: Params, most: int = 60) -> tuple[Sequence[R], str | None]:
    """One page of records in the order of their keys, and the token of the next. Operations call the same two parameters by
    several names."""
    size = min(params.get("limit") or params.get("max_results") or most, most)
    after = _place(params.get("next_token") or params.get("pagination_token"))
    records = desk.tx.page(kind, *prefix, after=None if after is None else (*prefix, after), limit=size + 1)
    return records[:size], next_token(records[size - 1].key[-1]) if len(records) > size else None


def next_token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _place(token: str | None) -> str | None:
    if not token:
        return None
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid("Invalid pagination token") from None
