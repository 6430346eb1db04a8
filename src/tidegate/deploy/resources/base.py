"""What a provider is: it makes, changes and removes one type of resource through the management API, and says by a table
which properties it handles, which have no effect yet, and which it refuses.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from tidegate.deploy.package import Packages
from tidegate.deploy.parameters import Target

ClientFactory: TypeAlias = Callable[[str], Any]
"""A boto3 client for a service's name."""
Props: TypeAlias = Mapping[str, Any]
"""A resource's properties, evaluated."""

_SUFFIX_ALPHABET = string.digits + string.ascii_uppercase
_SUFFIX_LENGTH = 12


class ResourceError(Exception):
    """A resource cannot be made as asked; the text is for a person."""


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that exists."""

    physical_id: str
    """What Ref gives."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What Fn::GetAtt gives."""


@dataclass(frozen=True, slots=True)
class Table:
    """Every property that the type has on AWS is in exactly one of handled, reported and refused."""

    handled: frozenset[str] = frozenset()
    reported: Mapping[str, str] = field(default_factory=dict)
    """Accepted, without effect, and said so: property → why."""
    refused: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    replacing: frozenset[str] = frozenset()
    """A change of one of these makes a new resource and removes the old."""
    name: str | None = None
    """The property that names the resource; when absent, a name is made up."""
    harmless: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Values of reported properties that ask for nothing, besides false and empty ones."""

    def known(self, name: str) -> bool:
        return name in self.handled or name in self.reported or name in self.refused

    def warnings(self, properties: Props) -> Iterator[tuple[str, str]]:
        """The properties given that have no effect, and why."""
        for name, reason in self.reported.items():
            value = properties.get(name)
            # Zero asks for something (no concurrency at all), though Python takes it for equal to False.
            nothing = value is False or value in (None, "false", "", [], {})
            if not nothing and value not in self.harmless.get(name, ()):
                yield name, reason


@dataclass(frozen=True, slots=True)
class Context:
    """What a provider works with: one resource of one stack."""

    clients: ClientFactory
    target: Target
    packages: Packages
    logical_id: str
    generation: int = 0
    """How many times the resource has been replaced: two of its lives never share a made-up name."""
    warn: Callable[[str], None] = lambda message: None

    def name(self, limit: int) -> str:
        """`<stack>-<logical id>-<12 characters>`, the same at every deployment. `limit`: the longest name allowed."""
        stack, logical = self.target.stack_name, self.logical_id
        room = limit - _SUFFIX_LENGTH - 2
        if len(stack) + len(logical) > room:
            stack = stack[: max(room - len(logical), room // 2)]
            logical = logical[: room - len(stack)]
        return f"{stack}-{logical}-{self._suffix()}"

    def _suffix(self) -> str:
        seed = f"{self.target.stack_id}/{self.logical_id}/{self.generation}"
        number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
        digits = []
        for _ in range(_SUFFIX_LENGTH):
            number, digit = divmod(number, len(_SUFFIX_ALPHABET))
            digits.append(_SUFFIX_ALPHABET[digit])
        return "".join(digits)


class Provider:
    """One resource type. The defaults suit types that exist only in the stack's own record."""

    type: str
    table: Table
    attributes: frozenset[str] = frozenset()
    """What Fn::GetAtt may ask for."""
    no_effect: str | None = None
    """Said for every resource of a type that is recorded only."""

    def check(self, properties: Props, named: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
        """What is wrong before anything is made and the table cannot say: place and reason. `properties`: as far as they are
        known; `named`: for each property the types of the resources that it names."""
        yield from ()

    def create(self, properties: Props, context: Context) -> Made:
        raise NotImplementedError

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        """Change in place; `old`: the properties as applied last. Repeating it after a failure must be harmless."""
        raise NotImplementedError

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        """Remove; what is gone already is fine."""

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        """Whether it is still there: a neighbour that keeps its data in memory forgets it when it stops."""
        return True


def explain(error: ClientError | BotoCoreError) -> str:
    """A boto3 error as a person wants to read it."""
    if isinstance(error, ClientError):
        detail = error.response.get("Error", {})
        return f"{error.operation_name}: {detail.get('Code')}: {detail.get('Message')}"
    return str(error)


@contextmanager
def gone_is_fine(*codes: str) -> Iterator[None]:
    """For removals: an error that says that there is nothing to remove is no error."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in (
            *codes,
            "NotFoundException",
            "ResourceNotFoundException",
        ):
            raise


@contextmanager
def unsupported_is_said(name: str, context: Context) -> Iterator[None]:
    """For properties that change nothing about how requests are served: a server that cannot store them is no failure."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "UnsupportedOperationException":
            raise
        context.warn(f"{name}: {explain(error)}")


@contextmanager
def undone_by(undo: Callable[[], Any]) -> Iterator[None]:
    """For creations in several steps: when a later one fails, the first is taken back, and the failure is what is told."""
    try:
        yield
    except BaseException:
        with suppress(ClientError, BotoCoreError):
            undo()
        raise


def found(look: Callable[[], Any]) -> bool:
    """Whether a get or describe call finds its resource."""
    try:
        look()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NotFoundException", "ResourceNotFoundException"):
            return False
        raise
    return True


def tag_map(properties: Props) -> dict[str, str]:
    """CloudFormation's list of Key and Value as the map that most APIs take."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in properties.get("Tags") or []}
