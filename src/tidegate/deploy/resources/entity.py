"""What most types of API Gateway have in common: one operation makes an entity, patches change it, its id names it.

AWS: CloudFormation Template Reference, "Amazon API Gateway resource type reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from tidegate.deploy.resources.base import Context, Made, Props, Provider, found, gone_is_fine, tag_map
from tidegate.deploy.resources.patches import Patch, scalars
from tidegate.deploy.resources.shapes import arguments_of, call


class Entity(Provider):
    """A type whose operations are Create, Get, Update and Delete followed by its noun."""

    noun: ClassVar[str]
    """`Authorizer` of `CreateAuthorizer`."""
    making: ClassVar[str | None] = None
    """The operation that makes one, where it is not Create and the noun."""
    key: ClassVar[str]
    """The parameter that names one: `authorizerId`."""
    member: ClassVar[str] = "id"
    """The member of the answer that is its physical id."""
    within: ClassVar[tuple[str, ...]] = ("RestApiId",)
    """Properties that every operation needs, besides the key."""
    settled: ClassVar[Mapping[str, str]] = {}
    """Properties that a replace each brings up to date → its path."""
    collection: ClassVar[str | None] = None
    """In the ARN of one that can be tagged: `apikeys`."""

    def create(self, properties: Props, context: Context) -> Made:
        answer = call(context.clients("apigateway"), self._making, self.creation(properties, context))
        return self.made(answer, properties)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        arguments_of(context.clients("apigateway"), self._making, self.creation(properties, context))
        if self.collection:
            arn = f"arn:aws:apigateway:{context.target.region}::/{self.collection}/{made.physical_id}"
            retag(arn, tag_map(properties), tag_map(old), context)
        if operations := list(self.patches(properties, old)):
            self._send("Update", made, properties, context, patchOperations=operations)
        return made

    @property
    def _making(self) -> str:
        return self.making or f"Create{self.noun}"

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            self._send("Delete", made, properties, context)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: self._send("Get", made, properties, context))

    def creation(self, properties: Props, context: Context) -> dict[str, Any]:
        """Parameters of the operation that makes it."""
        return with_tags(properties)

    def patches(self, properties: Props, old: Props) -> Iterator[Patch]:
        yield from scalars(self.settled, properties, old)

    def made(self, answer: Mapping[str, Any], properties: Props) -> Made:
        """What Ref and Fn::GetAtt give: the id, and the id under the name of the type's one attribute."""
        name = str(answer[self.member])
        return Made(name, dict.fromkeys(self.attributes, name))

    def _send(self, verb: str, made: Made, properties: Props, context: Context, **more: Any) -> dict[str, Any]:
        above = {name: properties[name] for name in self.within}
        return call(context.clients("apigateway"), f"{verb}{self.noun}", {**above, self.key: made.physical_id, **more})


def with_tags(properties: Props) -> dict[str, Any]:
    """The properties with the list of tags as the map that the API takes."""
    given = {name: value for name, value in properties.items() if name != "Tags"}
    return given | ({"tags": tags} if (tags := tag_map(properties)) else {})


def retag(arn: str, wanted: Mapping[str, str], old: Mapping[str, str], context: Context) -> None:
    """Bring the tags of an API Gateway resource from `old` to `wanted`. Before patches: unlike them, it may be repeated."""
    client = context.clients("apigateway")
    if dropped := sorted(old.keys() - wanted.keys()):
        client.untag_resource(resourceArn=arn, tagKeys=dropped)
    changed = {key: value for key, value in wanted.items() if old.get(key) != value}
    if changed:
        client.tag_resource(resourceArn=arn, tags=changed)
