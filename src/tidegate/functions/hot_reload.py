"""Functions whose code is a folder: what was saved there runs from the next invocation on.

Not here: whether a folder has changed (folders), ending workers of the old code (catalog, pool).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from tidegate.functions.catalog import Catalog, not_found
from tidegate.functions.folders import Stamp, changed, stamp
from tidegate.functions.spec import InvokeError
from tidegate.functions.targets import Function


class HotReload:
    def __init__(self, catalog: Catalog, loop: asyncio.AbstractEventLoop) -> None:
        self._catalog = catalog
        self._loop = loop
        self._looks = 0
        """How often a folder was looked at."""

    async def fresh(self, function: Function, folder: str) -> Function:
        """The function, with a new group if its folder has changed; workers of the old one end when they have answered.

        Looks may end in another order than they began: what a later one has seen stands. Raises InvokeError.
        """
        self._looks += 1
        look = self._looks
        seen = await self._loop.run_in_executor(None, stamp, Path(folder), _recent(function.group.stamp))
        current = self._catalog.current(function)
        if current is None:
            raise not_found(function.entry.arn)
        if not seen.there:
            raise _gone(function, folder)
        group = current.group
        if look > group.look and current.entry.spec.folder == folder:
            if group.slots if group.stamp is None else changed(group.stamp, seen):
                self._catalog.renew(current)
            current.group.stamp, current.group.look = seen, look
        return current


def _recent(stamp: Stamp | None) -> frozenset[str]:
    return frozenset() if stamp is None else stamp.recent


def _gone(function: Function, folder: str) -> InvokeError:
    text = f"The code of {function.entry.spec.name} is the folder {folder}, which is not there (any more)."
    return InvokeError("InvalidZipFileException", text, 502)
