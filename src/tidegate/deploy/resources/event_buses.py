"""AWS::Events::EventBus and AWS::Events::Rule, made in the neighbour that holds the buses.

The neighbour passes events on to queues and to other buses. What a rule asks besides (functions, state machines, schedules)
would never happen, and is refused.
AWS: CloudFormation Template Reference, "Amazon EventBridge resource type reference"; EventBridge User Guide, "Targets".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.deploy.resources.base import Context, Made, Props, ResourceError, Table, undone_by
from tidegate.deploy.resources.neighbour import InNeighbour, Tagging, document, listed, tags_of, there
from tidegate.deploy.resources.shapes import call

_ONLY = "rules pass events on to queues and event buses only"
_NEVER_CALLED = frozenset(
    {
        *("AWS::Kinesis::Stream", "AWS::Lambda::Alias", "AWS::Lambda::Function", "AWS::Lambda::Version"),
        *("AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"),
    }
)
_MEMBERS = frozenset({"Arn", "Id", "Input", "InputPath", "InputTransformer", "RoleArn", "SqsParameters"})
_WITHOUT_EFFECT = frozenset({"DeadLetterConfig", "RetryPolicy"})
_DEFAULT_BUS = "default"


class EventBus(InNeighbour):
    """Ref gives the name."""

    type = "AWS::Events::EventBus"
    service = "events"
    limit = 256
    attributes = frozenset({"Arn", "Name"})
    tagging = Tagging()
    table = Table(
        handled=frozenset({"Name", "Tags"}),
        reported={
            "DeadLetterConfig": "has no effect; what cannot be delivered is lost",
            "Description": "has no effect",
            "KmsKeyIdentifier": "has no effect; nothing is encrypted at rest",
            "LogConfig": "has no effect",
            "Policy": "has no effect; whoever has credentials may put events",
        },
        refused={"EventSourceName": "buses of partners are not supported"},
        required=frozenset({"Name"}),
        replacing=frozenset({"Name"}),
        name="Name",
    )

    def create(self, properties: Props, context: Context) -> Made:
        client, name = context.clients(self.service), self.named(properties, context)
        self.unclaimed(name, name, client)
        tags = listed(client, "CreateEventBus", "Tags", tags_of(properties))
        arn = call(client, "CreateEventBus", {"Name": name, "Tags": tags})["EventBusArn"]
        return Made(name, {"Arn": arn, "Name": name})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        self.retag(made, properties, old, context.clients(self.service))
        return made

    def look(self, physical_id: str, client: Any) -> Any:
        return client.describe_event_bus(Name=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_event_bus(Name=made.physical_id)


class Rule(InNeighbour):
    """Ref gives the name; where the bus is not the default one, `bus|name`."""

    type = "AWS::Events::Rule"
    service = "events"
    limit = 64
    attributes = frozenset({"Arn", "RuleName"})
    table = Table(
        handled=frozenset({"Description", "EventBusName", "EventPattern", "Name", "State", "Targets"}),
        reported={"RoleArn": "has no effect", "Tags": "has no effect"},
        refused={"ScheduleExpression": "nothing happens on a schedule"},
        replacing=frozenset({"EventBusName", "Name"}),
        name="Name",
    )

    def check(self, properties: Props, named: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
        targets = properties.get("Targets")
        for index, target in enumerate(targets if isinstance(targets, list) else []):
            yield from ((f"Targets[{index}].{member}", reason) for member, reason in _refusals(target))
        for kind in sorted(named.get("Targets", frozenset()) & _NEVER_CALLED):
            yield "Targets", f"{kind}: {_ONLY}"

    def create(self, properties: Props, context: Context) -> Made:
        client, name, bus = context.clients(self.service), self.named(properties, context), _bus(properties)
        physical_id = name if bus == _DEFAULT_BUS else f"{bus}|{name}"
        self.unclaimed(name, physical_id, client)
        arn = self._put(name, bus, properties, client)
        made = Made(physical_id, {"Arn": arn, "RuleName": name})
        with undone_by(lambda: self.remove(made, properties, client)):
            self._aim(name, bus, properties, client, context)
        return made

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients(self.service)
        bus, name = _parts(made.physical_id)
        self._put(name, bus, properties, client)
        self._aim(name, bus, properties, client, context)
        return made

    def look(self, physical_id: str, client: Any) -> Any:
        bus, name = _parts(physical_id)
        return client.describe_rule(Name=name, EventBusName=bus)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        bus, name = _parts(made.physical_id)
        if there(lambda: self.look(made.physical_id, client)):
            _let_go(name, bus, set(_aimed_at(name, bus, client)), client)
            client.delete_rule(Name=name, EventBusName=bus)

    def _put(self, name: str, bus: str, properties: Props, client: Any) -> str:
        if "EventPattern" not in properties:
            raise ResourceError("EventPattern: a rule without one matches nothing")
        asked = {key: properties[key] for key in ("Description", "State") if key in properties}
        pattern = document(properties["EventPattern"])
        answer = call(client, "PutRule", {"Name": name, "EventBusName": bus, "EventPattern": pattern, **asked})
        return str(answer["RuleArn"])

    def _aim(self, name: str, bus: str, properties: Props, client: Any, context: Context) -> None:
        targets = [_target(index, given, context) for index, given in enumerate(properties.get("Targets") or [])]
        if properties.get("State") == "DISABLED" and targets:
            context.warn("Targets: are left out while the rule is disabled; the neighbour would call them all the same")
            targets = []
        kept = {target["Id"] for target in targets}
        _let_go(name, bus, set(_aimed_at(name, bus, client)) - kept, client)
        if targets:
            call(client, "PutTargets", {"Rule": name, "EventBusName": bus, "Targets": targets})


def _bus(properties: Props) -> str:
    """AWS: a bus is named by its name or its ARN."""
    return str(properties.get("EventBusName") or _DEFAULT_BUS).rpartition("event-bus/")[2]


def _parts(physical_id: str) -> tuple[str, str]:
    bus, _, name = physical_id.rpartition("|")
    return bus or _DEFAULT_BUS, name


def _aimed_at(name: str, bus: str, client: Any) -> Iterator[str]:
    pages = client.get_paginator("list_targets_by_rule").paginate(Rule=name, EventBusName=bus)
    yield from (target["Id"] for page in pages for target in page["Targets"])


def _let_go(name: str, bus: str, ids: set[str], client: Any) -> None:
    if ids:
        client.remove_targets(Rule=name, EventBusName=bus, Ids=sorted(ids))


def _refusals(target: Any) -> Iterator[tuple[str, str]]:
    if isinstance(target, Mapping):
        unknown = sorted(target.keys() - _MEMBERS - _WITHOUT_EFFECT)
        yield from ((member, f"is not supported; {_ONLY}") for member in unknown)
        arn = target.get("Arn")
        if isinstance(arn, str) and not arn.startswith("arn:aws:sqs:") and ":event-bus/" not in arn:
            yield "Arn", f"{arn}: {_ONLY}"


def _target(index: int, given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A target as the API takes it. What is fixed or picked out of the event is said as a transformation, the one form that the
    neighbour follows; it means the same."""
    for member, reason in _refusals(given):
        raise ResourceError(f"Targets[{index}].{member}: {reason}")
    for member in sorted(given.keys() & _WITHOUT_EFFECT):
        context.warn(f"Targets[{index}].{member}: has no effect; what cannot be delivered is lost")
    target = {key: given[key] for key in given if key not in _WITHOUT_EFFECT | {"Input", "InputPath"}}
    if "Input" in given:
        target["InputTransformer"] = {"InputTemplate": document(given["Input"])}
    elif given.get("InputPath", "$") != "$":
        target["InputTransformer"] = {"InputPathsMap": {"part": given["InputPath"]}, "InputTemplate": "<part>"}
    return target
