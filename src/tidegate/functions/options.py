"""What is set of the function service: by its owner for the whole, and by the service for its pool.

Not here: where settings come from (settings, app).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tidegate.functions.slots import Limits
from tidegate.functions.spec import FunctionSpec


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    scratch: Path
    """Directory for the workers' temporary files; several gateways may share it."""
    log_directory: Path | None = None
    """None: logs are kept in memory only."""
    runtimes: Path | None = None
    """Where the homes of interpreters are made (None: beside `scratch`); several gateways may share it."""
    hidden: tuple[Path, ...] = ()
    """Directories that no function may see, such as the gateway's data."""
    trust: Path | None = None
    """A directory that every function may read: the certificates that it trusts (`outside`)."""
    isolated: bool = True
    """Whether functions get namespaces of their own, where the system lets us make any."""
    base_environment: Mapping[str, str] = field(default_factory=dict)
    """What every function's environment holds beside AWS's own: AWS_ENDPOINT_URL, credentials."""
    own_environment: Callable[[FunctionSpec], Mapping[str, str]] = lambda _spec: {}
    """What a function's holds besides: the credentials of its role, new for every process."""
    workers_per_function: int = 64
    workers: int = 256
    """In all."""
    starting: int = field(default_factory=lambda: os.cpu_count() or 1)
    """How many workers may be starting at once."""
    queue: int = 1000
    """Invocations of one function that may wait; the next is answered 429."""
    patience: float = 0.02
    """Seconds that an invocation waits before a further worker is started for it."""
    eager: int = field(default_factory=lambda: 4 * (os.cpu_count() or 1))
    """Up to so many workers, a function whose queue does not get empty gets more, however briefly each waits."""
    init_seconds: float = 10.0
    idle_seconds: float = 600.0
    """How long a worker is kept without work."""
    debug: Mapping[str, int] = field(default_factory=dict)
    """Functions that are started with a debugger → its port (0: any)."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    limits: Limits
    init_seconds: float
    idle_seconds: float
    base_environment: Mapping[str, str]
    own_environment: Callable[[FunctionSpec], Mapping[str, str]]
    scratch: Path
    """Where the workers' directories for temporary files are made."""


def pool_settings(settings: FunctionSettings, scratch: Path) -> PoolSettings:
    return PoolSettings(
        limits=Limits(
            per_group=settings.workers_per_function,
            total=settings.workers,
            starting=settings.starting,
            queue=settings.queue,
            patience=settings.patience,
            eager=settings.eager,
        ),
        init_seconds=settings.init_seconds,
        idle_seconds=settings.idle_seconds,
        base_environment=settings.base_environment,
        own_environment=settings.own_environment,
        scratch=scratch,
    )
