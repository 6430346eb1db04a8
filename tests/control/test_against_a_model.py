"""The management API and what it deploys, held against a simple model under random sequences of operations.

The model is a few dictionaries; the system is the running program, driven by boto3 and called over HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.support.running import Server

PARTS = st.sampled_from(["a", "b", "c.d", "{id}", "{name}", "{rest+}"])
VERBS = st.sampled_from(["GET", "POST", "ANY"])
PICK = st.integers(min_value=0, max_value=10_000)


@dataclass
class Node:
    """A resource as the model knows it."""

    id: str
    parent: str | None
    part: str
    methods: dict[str, str] = field(default_factory=dict)
    """The body that the MOCK method answers, by verb."""


class Model(RuleBasedStateMachine):
    server: Server
    serial = 0

    def __init__(self) -> None:
        super().__init__()
        self.client = self.server.client("apigateway")
        Model.serial += 1
        made = self.client.create_rest_api(name=f"model-{Model.serial}")
        self.api = made["id"]
        self.root = made["rootResourceId"]
        self.nodes = {self.root: Node(self.root, None, "")}
        self.deployments: dict[str, dict[tuple[str, str], str]] = {}
        """Every deployment's methods: (path, verb) → body."""
        self.stages: dict[str, str] = {}

    def teardown(self) -> None:
        self.client.delete_rest_api(restApiId=self.api)

    # --- the model's own questions ---

    def path(self, node: Node) -> str:
        if node.parent is None:
            return "/"
        return f"{self.path(self.nodes[node.parent]).rstrip('/')}/{node.part}"

    def pick(self, number: int) -> Node:
        return list(self.nodes.values())[number % len(self.nodes)]

    def children(self, node_id: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.parent == node_id]

    def below(self, node_id: str) -> set[str]:
        return {node_id}.union(*(self.below(child.id) for child in self.children(node_id)))

    def variables(self, node: Node | None) -> list[str]:
        """Names that the path of a node binds."""
        names = []
        while node is not None:
            if node.part.startswith("{"):
                names.append(node.part.strip("{}+"))
            node = self.nodes[node.parent] if node.parent else None
        return names

    def may_stand(self, parent: Node, part: str, itself: str | None = None) -> bool:
        siblings = [child.part for child in self.children(parent.id) if child.id != itself]
        if parent.part.endswith("+}") or part in siblings:
            return False
        if not part.startswith("{"):
            return True
        return not any(sibling.startswith("{") for sibling in siblings) and part.strip("{}+") not in self.variables(
            parent
        )

    def refused(self, call: Any, **arguments: Any) -> None:
        try:
            call(**arguments)
        except ClientError as error:
            assert error.response["Error"]["Code"] in {"BadRequestException", "ConflictException", "NotFoundException"}
        else:
            raise AssertionError(f"{arguments} should have been refused")

    # --- what may happen ---

    @rule(where=PICK, part=PARTS)
    def create_resource(self, where: int, part: str) -> None:
        parent = self.pick(where)
        call = {"restApiId": self.api, "parentId": parent.id, "pathPart": part}
        if not self.may_stand(parent, part):
            self.refused(self.client.create_resource, **call)
            return
        made = self.client.create_resource(**call)
        self.nodes[made["id"]] = Node(made["id"], parent.id, part)
        assert made["path"] == self.path(self.nodes[made["id"]])

    @rule(where=PICK)
    def delete_resource(self, where: int) -> None:
        node = self.pick(where)
        if node.parent is None:
            self.refused(self.client.delete_resource, restApiId=self.api, resourceId=node.id)
            return
        self.client.delete_resource(restApiId=self.api, resourceId=node.id)
        for gone in self.below(node.id):
            del self.nodes[gone]

    @rule(where=PICK, to=PICK)
    def move_resource(self, where: int, to: int) -> None:
        node, parent = self.pick(where), self.pick(to)
        call = {
            "restApiId": self.api,
            "resourceId": node.id,
            "patchOperations": [{"op": "replace", "path": "/parentId", "value": parent.id}],
        }
        bound = {name for below in self.below(node.id) for name in self.own(below)}
        allowed = (
            node.parent is not None
            and parent.id not in self.below(node.id)
            and self.may_stand(parent, node.part, node.id)
            and bound.isdisjoint(self.variables(parent))
        )
        if not allowed:
            self.refused(self.client.update_resource, **call)
            return
        self.client.update_resource(**call)
        node.parent = parent.id

    def own(self, node_id: str) -> list[str]:
        part = self.nodes[node_id].part
        return [part.strip("{}+")] if part.startswith("{") else []

    @rule(where=PICK, verb=VERBS, body=st.sampled_from(["one", "two", "three"]))
    def put_mock(self, where: int, verb: str, body: str) -> None:
        node = self.pick(where)
        at = {"restApiId": self.api, "resourceId": node.id, "httpMethod": verb}
        if verb in node.methods:
            self.refused(self.client.put_method, **at, authorizationType="NONE")
            return
        template = {"application/json": '{"statusCode": 200}'}
        self.client.put_method(**at, authorizationType="NONE")
        self.client.put_integration(**at, type="MOCK", requestTemplates=template)
        self.client.put_method_response(**at, statusCode="200")
        self.client.put_integration_response(**at, statusCode="200", responseTemplates={"application/json": body})
        node.methods[verb] = body

    @rule(where=PICK, verb=VERBS)
    def delete_method(self, where: int, verb: str) -> None:
        node = self.pick(where)
        at = {"restApiId": self.api, "resourceId": node.id, "httpMethod": verb}
        if verb not in node.methods:
            self.refused(self.client.delete_method, **at)
            return
        self.client.delete_method(**at)
        del node.methods[verb]

    @rule(stage=st.sampled_from(["x", "y", None]))
    def deploy(self, stage: str | None) -> None:
        content = {(self.path(node), verb): body for node in self.nodes.values() for verb, body in node.methods.items()}
        named = {} if stage is None else {"stageName": stage}
        if not content:
            self.refused(self.client.create_deployment, restApiId=self.api, **named)
            return
        made = self.client.create_deployment(restApiId=self.api, **named)
        self.deployments[made["id"]] = content
        if stage is not None:
            self.stages[stage] = made["id"]

    @precondition(lambda self: self.deployments)
    @rule(which=PICK)
    def delete_deployment(self, which: int) -> None:
        deployment = list(self.deployments)[which % len(self.deployments)]
        call = {"restApiId": self.api, "deploymentId": deployment}
        if deployment in self.stages.values():
            self.refused(self.client.delete_deployment, **call)
            return
        self.client.delete_deployment(**call)
        del self.deployments[deployment]

    @precondition(lambda self: self.deployments and self.stages)
    @rule(which=PICK, stage=PICK)
    def point_stage(self, which: int, stage: int) -> None:
        deployment = list(self.deployments)[which % len(self.deployments)]
        name = list(self.stages)[stage % len(self.stages)]
        operation = {"op": "replace", "path": "/deploymentId", "value": deployment}
        self.client.update_stage(restApiId=self.api, stageName=name, patchOperations=[operation])
        self.stages[name] = deployment

    @precondition(lambda self: self.stages)
    @rule(which=PICK)
    def delete_stage(self, which: int) -> None:
        name = list(self.stages)[which % len(self.stages)]
        self.client.delete_stage(restApiId=self.api, stageName=name)
        del self.stages[name]

    # --- what has to hold whatever happened ---

    @invariant()
    def the_tree_is_the_models(self) -> None:
        found = self.client.get_resources(restApiId=self.api, limit=500)["items"]
        assert {item["path"] for item in found} == {self.path(node) for node in self.nodes.values()}
        for item in found:
            node = self.nodes[item["id"]]
            assert item.get("parentId") == node.parent
            assert item["path"] == self.path(node)
            assert set(item.get("resourceMethods", {})) == set(node.methods)

    @invariant()
    def stages_and_deployments_are_the_models(self) -> None:
        stages = self.client.get_stages(restApiId=self.api)["item"]
        assert {stage["stageName"]: stage["deploymentId"] for stage in stages} == self.stages
        deployments = self.client.get_deployments(restApiId=self.api, limit=500)["items"]
        assert {deployment["id"] for deployment in deployments} == set(self.deployments)

    @invariant()
    def stages_serve_what_was_frozen(self) -> None:
        for stage, deployment in self.stages.items():
            for (path, verb), body in self.deployments[deployment].items():
                sample = path.replace("{id}", "%7B").replace("{name}", "n-1").replace("{rest+}", "r/s")
                sent = "PATCH" if verb == "ANY" else verb
                answer = self.server.call(self.api, f"/{stage}{sample}", method=sent)
                assert (answer.status, answer.body) == (200, body.encode()), (path, verb)
        assert self.server.call(self.api, "/nowhere/").status == 403


def test_random_operations_keep_to_the_model(server: Server) -> None:
    Model.server = server
    run_state_machine_as_test(
        Model,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
