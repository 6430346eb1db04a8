"""What all connections of one server share: limits, the front door, coarse time, the set of who is connected."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, TypeAlias

from tidegate.core.clock import Clock
from tidegate.core.deadlines import Deadlines
from tidegate.core.message import FrontDoor
from tidegate.wire.limits import Limits
from tidegate.wire.response_head import ResponseHeads

Certificates: TypeAlias = Callable[[str], ssl.SSLContext]
"""What is shown to a client that speaks TLS, by the address of ours that it has reached."""


class Member(Protocol):
    """A connection as the server sees it."""

    def drain(self) -> None:
        """Close when idle; otherwise after what has been received is answered."""

    def abort(self) -> None:
        """Close now and cancel the handler."""


class Hub:
    """A connection stays a member until its socket is closed *and* its handler has ended."""

    __slots__ = (
        "_emptied",
        "clock",
        "deadlines",
        "draining",
        "front_door",
        "heads",
        "limits",
        "loop",
        "members",
        "secure",
    )

    def __init__(
        self,
        front_door: FrontDoor,
        clock: Clock,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        secure: Certificates | None = None,
    ) -> None:
        """`secure`: for clients that speak TLS to a plain port; None: they are refused as garbage is."""
        self.front_door = front_door
        self.secure = secure
        self.clock = clock
        self.limits = limits
        self.loop = loop
        self.deadlines = Deadlines(loop, limits.tick)
        self.heads = ResponseHeads(clock)
        self.members: set[Member] = set()
        self.draining = False
        self._emptied: asyncio.Future[None] | None = None

    def leave(self, member: Member) -> None:
        self.members.discard(member)
        if not self.members and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    async def emptied(self, timeout: float) -> bool:
        """Wait until nobody is connected; False when that took longer than `timeout` seconds."""
        if not self.members:
            return True
        self._emptied = self.loop.create_future()
        await asyncio.wait([self._emptied], timeout=timeout)
        return not self.members
