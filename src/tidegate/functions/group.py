"""One function version with its workers and its log, as the pool runs it.

Not here: which of its workers runs what (scheduler).
"""

from __future__ import annotations

from tidegate.functions.folders import Stamp
from tidegate.functions.invocation import Invocation
from tidegate.functions.logs import FunctionLog
from tidegate.functions.slots import Group
from tidegate.functions.spec import FunctionSpec


class FunctionGroup(Group[Invocation]):
    """One function version and its workers."""

    __slots__ = ("failed", "log", "look", "spec", "stamp")

    def __init__(self, spec: FunctionSpec, function_log: FunctionLog) -> None:
        super().__init__()
        self.spec = spec
        self.log = function_log
        self.stamp: Stamp | None = None
        """Of the folder from which the workers are started; None: there is none, or no look was taken yet."""
        self.failed = False
        """Whether the last start of a worker that is kept warm was in vain."""
        self.look = 0
        """The number of the look that gave the stamp."""
