"""What the tests of this room share: functions made from source text, a service that runs them, coroutines on uvloop."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import orjson
import uvloop

from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.functions.options import FunctionSettings
from tidegate.functions.packages import PackageStore
from tidegate.functions.service import FunctionService
from tidegate.functions.spec import CatalogEntry, FunctionSpec, InvokeResult, Permission

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, 60))


def zipped(files: Mapping[str, str | bytes], executables: Mapping[str, str | bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for mode, given in ((0o600, files), (0o755, executables or {})):
            for name, content in given.items():
                # Without the time of day, which would make another package of the same files.
                info = zipfile.ZipInfo(name)
                info.external_attr = mode << 16
                archive.writestr(info, content)
    return buffer.getvalue()


@dataclass
class Lab:
    """A running service and the means to add functions to it."""

    service: FunctionService
    packages: PackageStore

    def add(
        self,
        source: str | Mapping[str, str | bytes],
        *,
        executables: Mapping[str, str | bytes] | None = None,
        permissions: tuple[Permission, ...] = (),
        **spec: Any,
    ) -> str:
        """Put a function in place (its module is `app`); gives back its ARN."""
        files = {"app.py": source} if isinstance(source, str) else source
        package = self.packages.add(zipped(files, executables))
        made = replace(blank_spec(package.code_sha256), **spec)
        self.service.replace(CatalogEntry(made, permissions))
        return made.arn

    async def call(self, arn: str, event: object = None, **options: Any) -> InvokeResult:
        return await self.service.invoke(arn, orjson.dumps(event), **options)

    async def value(self, arn: str, event: object = None) -> Any:
        """The result of a call that succeeds."""
        result = await self.call(arn, event)
        assert result.function_error is None, result.payload
        return orjson.loads(result.payload)

    async def error(self, arn: str, event: object = None) -> dict[str, Any]:
        """The payload of a call that fails in the function."""
        result = await self.call(arn, event)
        assert result.function_error == "Unhandled", result.payload
        return orjson.loads(result.payload)

    def text(self, name: str = "f", count: int = 10_000) -> str:
        return "\n".join(line.text.decode() for line in self.service.tail(replace(blank_spec(), name=name).arn, count))


def blank_spec(code_sha256: str = "") -> FunctionSpec:
    return FunctionSpec(
        name="f",
        account="000000000000",
        region="us-east-1",
        version="$LATEST",
        runtime="python3.11",
        handler="app.handler",
        code_sha256=code_sha256,
        role="arn:aws:iam::000000000000:role/r",
        timeout=10,
        memory=128,
    )


@asynccontextmanager
async def lab(directory: Path, **settings: Any) -> AsyncIterator[Lab]:
    packages = PackageStore(directory / "packages")
    service = FunctionService(
        {},
        packages,
        FunctionSettings(scratch=directory / "scratch", **settings),
        clock=Clock(),
        ids=Ids(),
        loop=asyncio.get_running_loop(),
    )
    await service.start()
    try:
        yield Lab(service, packages)
    finally:
        await service.aclose()
