"""What user pools would have sent by e-mail: Tidegate sends none. Messages are written to the log, and the last ones are kept
for `GET /_tidegate/user-pools/{pool}/messages`, where tests and developers take the codes from.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

log = logging.getLogger("tidegate.cognito")

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Message:
    user_pool_id: str
    username: str
    destination: str
    subject: str
    body: str
    code: str
    """The confirmation code, or the temporary password."""


class Outbox:
    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=_KEPT)

    def send(self, message: Message) -> None:
        log.info(
            "user pool %s, to %s (user %s): %s: %s",
            *(message.user_pool_id, message.destination, message.username, message.subject, message.body),
        )
        self._messages.append(message)

    def of_pool(self, user_pool_id: str) -> list[Message]:
        """The oldest first."""
        return [message for message in list(self._messages) if message.user_pool_id == user_pool_id]

    def clear(self) -> None:
        self._messages.clear()
