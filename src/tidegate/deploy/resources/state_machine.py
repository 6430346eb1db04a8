"""AWS::StepFunctions::StateMachine, made in the neighbour that holds the state machines and goes through their states.

AWS: CloudFormation Template Reference, "AWS::StepFunctions::StateMachine" and its "DefinitionSubstitutions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Context, Made, Props, ResourceError, Table
from tidegate.deploy.resources.neighbour import InNeighbour, Tagging, listed, tags_of
from tidegate.deploy.resources.shapes import call

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")
_JSONATA = re.compile(r'"QueryLanguage"\s*:\s*"JSONata"')
_FIRST_REVISION = "INITIAL"


class StateMachine(InNeighbour):
    """Ref gives the ARN."""

    type = "AWS::StepFunctions::StateMachine"
    service = "stepfunctions"
    attributes = frozenset({"Arn", "Name", "StateMachineRevisionId"})
    tagging = Tagging(target="resourceArn", attribute=None)
    table = Table(
        handled=frozenset(
            {
                *("Definition", "DefinitionString", "DefinitionSubstitutions", "RoleArn", "StateMachineName"),
                *("StateMachineType", "Tags"),
            }
        ),
        reported={
            "EncryptionConfiguration": "has no effect; nothing is encrypted at rest",
            "LoggingConfiguration": "has no effect",
            "TracingConfiguration": "has no effect",
        },
        refused={"DefinitionS3Location": "only a definition in the template or in a file beside it is supported"},
        required=frozenset({"RoleArn"}),
        replacing=frozenset({"StateMachineName", "StateMachineType"}),
        name="StateMachineName",
        harmless={"TracingConfiguration": ({"Enabled": False}, {"Enabled": "false"})},
    )

    def create(self, properties: Props, context: Context) -> Made:
        client, name = context.clients(self.service), self.named(properties, context)
        arn = f"arn:aws:states:{context.target.region}:{context.target.account}:stateMachine:{name}"
        self.unclaimed(name, arn, client)
        asked = {
            "name": name,
            "type": properties.get("StateMachineType", "STANDARD"),
            "roleArn": properties["RoleArn"],
            "definition": _definition(properties),
            "tags": listed(client, "CreateStateMachine", "tags", tags_of(properties)),
        }
        arn = call(client, "CreateStateMachine", asked)["stateMachineArn"]
        return _made(arn, name, client)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients(self.service)
        definition = _definition(properties)
        if definition != _definition(old) or properties["RoleArn"] != old["RoleArn"]:
            asked = {"stateMachineArn": made.physical_id, "definition": definition, "roleArn": properties["RoleArn"]}
            call(client, "UpdateStateMachine", asked)
        self.retag(made, properties, old, client)
        return _made(made.physical_id, made.attributes["Name"], client)

    def retag(self, made: Made, properties: Props, old: Props, client: Any) -> None:
        wanted, before = tags_of(properties), tags_of(old)
        if dropped := sorted(before.keys() - wanted.keys()):
            client.untag_resource(resourceArn=made.physical_id, tagKeys=dropped)
        if changed := [{"key": k, "value": v} for k, v in wanted.items() if before.get(k) != v]:
            client.tag_resource(resourceArn=made.physical_id, tags=changed)

    def look(self, physical_id: str, client: Any) -> Any:
        return client.describe_state_machine(stateMachineArn=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_state_machine(stateMachineArn=made.physical_id)


def _made(arn: str, name: str, client: Any) -> Made:
    # AWS: the first revision of a state machine has no id, and CloudFormation calls it INITIAL.
    revision = client.describe_state_machine(stateMachineArn=arn).get("revisionId") or _FIRST_REVISION
    return Made(arn, {"Arn": arn, "Name": name, "StateMachineRevisionId": revision})


def _definition(properties: Props) -> str:
    """The definition as text, with what `${Name}` stands for. Raises ResourceError."""
    given = [name for name in ("Definition", "DefinitionString") if name in properties]
    if len(given) != 1:
        raise ResourceError("exactly one of Definition and DefinitionString is expected")
    definition = properties[given[0]]
    written = definition if isinstance(definition, str) else json.dumps(definition)
    written = _filled(written, properties.get("DefinitionSubstitutions") or {})
    try:
        parsed = json.loads(written)
    except ValueError as error:
        raise ResourceError(f"{given[0]}: is not JSON: {error}") from error
    missing = [name for name in ("StartAt", "States") if not isinstance(parsed, Mapping) or name not in parsed]
    if missing:
        raise ResourceError(f"{given[0]}: Invalid State Machine Definition: {missing[0]} is missing")
    if _JSONATA.search(written):
        raise ResourceError(f"{given[0]}: states in JSONata are not supported, only in JSONPath")
    return written


def _filled(written: str, values: Mapping[str, Any]) -> str:
    """AWS: the text of a value takes the place of its name; a name without a value stays as it is."""
    return _VARIABLE.sub(lambda found: text(values[found[1]]) if found[1] in values else found[0], written)
