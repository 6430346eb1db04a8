"""What a stack consists of, as it was left by the last step, and where that is kept.

Not here: changing it (`stack`). The store is the server's: whoever deploys, from wherever, finds the same stacks.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tidegate.deploy.errors import DeployError, Problem
from tidegate.deploy.resources.base import Made

_TIMEOUT = 30.0
"""Seconds for one call of the store."""


class StackStore(Protocol):
    """Keeps the state of stacks, by name."""

    def get(self, name: str) -> dict[str, Any] | None: ...

    def put(self, name: str, state: dict[str, Any]) -> None: ...

    def list(self) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One resource that exists."""

    logical_id: str
    type: str
    made: Made
    properties: Mapping[str, Any]
    """As applied last, evaluated."""
    depends_on: tuple[str, ...]
    generation: int = 0
    retain: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "LogicalId": self.logical_id,
            "Type": self.type,
            "PhysicalId": self.made.physical_id,
            "Attributes": dict(self.made.attributes),
            "Properties": dict(self.properties),
            "DependsOn": list(self.depends_on),
            "Generation": self.generation,
            "Retain": self.retain,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> ResourceState:
        return cls(
            logical_id=state["LogicalId"],
            type=state["Type"],
            made=Made(state["PhysicalId"], state["Attributes"]),
            properties=state["Properties"],
            depends_on=tuple(state["DependsOn"]),
            generation=state["Generation"],
            retain=state["Retain"],
        )


@dataclass(slots=True)
class StackState:
    """A stack. The one thing here that changes: it is written down after every step."""

    name: str
    stack_id: str
    resources: dict[str, ResourceState] = field(default_factory=dict)
    retired: list[ResourceState] = field(default_factory=list)
    """Replaced, and not removed yet."""
    outputs: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "StackName": self.name,
            "StackId": self.stack_id,
            "Resources": [resource.to_json() for resource in self.resources.values()],
            "Retired": [resource.to_json() for resource in self.retired],
            "Outputs": self.outputs,
            "Exports": self.exports,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> StackState:
        resources = [ResourceState.from_json(item) for item in state["Resources"]]
        return cls(
            name=state["StackName"],
            stack_id=state["StackId"],
            resources={resource.logical_id: resource for resource in resources},
            retired=[ResourceState.from_json(item) for item in state["Retired"]],
            outputs=dict(state["Outputs"]),
            exports=dict(state["Exports"]),
        )


def exports_of_others(stacks: StackStore, name: str) -> dict[str, str]:
    """What Fn::ImportValue finds: exports of all stacks but this one."""
    exports: dict[str, str] = {}
    for other in stacks.list():
        if other != name and (state := stacks.get(other)) is not None:
            exports |= state["Exports"]
    return exports


class HttpStackStore:
    """The server's: `GET`, `PUT /_tidegate/stacks/<name>`, and `GET /_tidegate/stacks` for the list of names."""

    __slots__ = ("_base", "_sign")

    def __init__(
        self, endpoint: str, sign: Callable[[str, str, bytes | None], Mapping[str, str]] = lambda *_: {}
    ) -> None:
        """`sign`: verb, URL and body of a call → the headers that tell who calls."""
        self._sign = sign
        self._base = f"{endpoint.rstrip('/')}/_tidegate/stacks"

    def get(self, name: str) -> dict[str, Any] | None:
        state: dict[str, Any] | None = self._send("GET", f"/{urllib.parse.quote(name, safe='')}")
        return state

    def put(self, name: str, state: dict[str, Any]) -> None:
        self._send("PUT", f"/{urllib.parse.quote(name, safe='')}", json.dumps(state).encode())

    def list(self) -> list[str]:
        return list(self._send("GET", "") or [])

    def _send(self, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {"content-type": "application/json", **self._sign(method, self._base + path, body)}
        request = urllib.request.Request(self._base + path, body, headers, method=method)  # noqa: S310 - our endpoint
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310 - our endpoint
                content = response.read()
        except urllib.error.HTTPError as error:
            if error.code == 404 and method == "GET":
                return None
            raise DeployError([Problem(self._base + path, f"answers {error.code} {error.reason}")]) from error
        except OSError as error:
            raise DeployError([Problem(self._base + path, f"cannot be reached: {error}")]) from error
        return json.loads(content) if content else None
