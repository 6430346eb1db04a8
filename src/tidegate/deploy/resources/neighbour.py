"""What the types made in a neighbour have in common: they are found, removed and tagged by operations that differ in their
names only, and one that takes its name from the template is not taken over from somebody else.

Not here: which properties there are, and what they become; each type says that itself.
AWS: CloudFormation Template Reference; the API references of the services.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from botocore.exceptions import ClientError

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Context, Made, Props, Provider, ResourceError, gone_is_fine, tag_map
from tidegate.deploy.resources.shapes import call

_ABSENT: Final = frozenset(
    {
        *("404", "AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "NoSuchBucketPolicy", "NotFound"),
        *("NotFoundException", "ParameterNotFound", "QueueDoesNotExist", "ResourceNotFoundException"),
        "StateMachineDoesNotExist",
    }
)
"""What the services say of a resource that is not there."""


@dataclass(frozen=True, slots=True)
class Tagging:
    """The operations that tag a resource: `TagQueue(QueueUrl, Tags)`, `UntagQueue(QueueUrl, TagKeys)`."""

    add: str = "TagResource"
    remove: str = "UntagResource"
    target: str = "ResourceARN"
    """The parameter that names the resource."""
    attribute: str | None = "Arn"
    """The resource's attribute that it takes; None: its physical id."""
    more: Mapping[str, str] | None = None
    """Parameters that both operations need besides."""


class InNeighbour(Provider):
    """A type that lives in another service."""

    service: ClassVar[str]
    limit: ClassVar[int] = 80
    """The longest name."""
    tagging: ClassVar[Tagging | None] = None

    def look(self, physical_id: str, client: Any) -> Any:
        """Ask for it; fails where it does not exist."""
        raise NotImplementedError

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        raise NotImplementedError

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine(*_ABSENT):
            self.remove(made, properties, context.clients(self.service))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return there(lambda: self.look(made.physical_id, context.clients(self.service)))

    def named(self, properties: Props, context: Context) -> str:
        """The name to make it by: the template's or one that is made up."""
        given = properties.get(self.table.name or "")
        return text(given) if given else context.name(self.limit)

    def unclaimed(self, name: str, physical_id: str, client: Any) -> None:
        """Several operations that create answer with what is there already: CloudFormation does not."""
        if there(lambda: self.look(physical_id, client)):
            raise ResourceError(f"{name} already exists")

    def retag(self, made: Made, properties: Props, old: Props, client: Any) -> None:
        """Bring its tags from the old state to the new."""
        how = self.tagging
        if how is None:
            return
        wanted, before = tags_of(properties), tags_of(old)
        target = made.attributes[how.attribute] if how.attribute else made.physical_id
        given = {how.target: target, **(how.more or {})}
        if dropped := sorted(before.keys() - wanted.keys()):
            call(client, how.remove, {**given, "TagKeys": dropped})
        if changed := {key: value for key, value in wanted.items() if before.get(key) != value}:
            call(client, how.add, {**given, "Tags": listed(client, how.add, "Tags", changed)})


def there(look: Callable[[], Any]) -> bool:
    """Whether a look at a resource finds it."""
    try:
        look()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            return False
        raise
    return True


def tags_of(properties: Props) -> dict[str, str]:
    """CloudFormation has a list of Key and Value for most types, a map for some."""
    tags = properties.get("Tags") or []
    return {key: text(value) for key, value in tags.items()} if isinstance(tags, Mapping) else tag_map(properties)


def listed(client: Any, operation: str, parameter: str, tags: Mapping[str, str]) -> Any:
    """Tags in the form of the parameter: a map, or a list of keys and values."""
    members = client.meta.service_model.operation_model(operation).input_shape.members
    shape = next(shape for name, shape in members.items() if name.lower() == parameter.lower())
    return dict(tags) if shape.type_name == "map" else [{"Key": key, "Value": value} for key, value in tags.items()]


def document(value: Any) -> str:
    """JSON as text, however the template gives it."""
    return value if isinstance(value, str) else json.dumps(value)


def policy_text(value: Any) -> str:
    """A policy's document. Raises ResourceError for what is none."""
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ResourceError(f"PolicyDocument: is not JSON: {error}") from error
    if not isinstance(parsed, Mapping) or "Statement" not in parsed:
        raise ResourceError("PolicyDocument: a policy with a Statement is expected")
    return json.dumps(parsed)
