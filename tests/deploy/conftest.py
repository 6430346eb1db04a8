"""A stand-in for the server: real botocore clients, so that wrong parameters fail, whose calls are recorded and answered here."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.support.running import Server
from tidegate.deploy.errors import DeployError
from tidegate.deploy.run import DeployResult, deploy
from tidegate.deploy.state import HttpStackStore

ACCOUNT, REGION, ENDPOINT = "000000000000", "us-east-1", "http://127.0.0.1:4566"


class World:
    """Remembers what was made, as far as the providers look at it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.failing: dict[str, str] = {}
        """Operation → message of the error that it answers."""
        self.codes: dict[str, str] = {}
        """Operation → code of that error, where it matters."""
        self.gone: set[str] = set()
        """Operations (get, describe) that find nothing."""
        self.statements: list[str] = []
        self.tables: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    def answer(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, params))
        handler: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, operation, lambda given: {})
        return handler(params)

    def operations(self, *prefixes: str) -> list[str]:
        wanted = prefixes or ("Create", "Put", "Update", "Delete", "Add", "Remove", "Tag", "Untag")
        return [operation for operation, _ in self.calls if operation.startswith(wanted)]

    def params(self, operation: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == operation]

    def CreateRestApi(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the operation's name
        return {"id": f"api{next(self._numbers)}", "rootResourceId": "root", "name": given["name"]}

    def GetRestApi(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"id": given["restApiId"], "rootResourceId": "root"}

    def PutRestApi(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"id": given["restApiId"], "rootResourceId": "root", "warnings": ["something is not known"]}

    def CreateResource(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"id": f"res{next(self._numbers)}"}

    def CreateDeployment(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"id": f"dep{next(self._numbers)}"}

    def CreateStage(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"stageName": given["stageName"]}

    def GetStages(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"item": []}

    def GetResources(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"items": [{"path": "/hello/{id}", "resourceMethods": {"GET": {}, "POST": {}}}]}

    def AddPermission(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.statements.append(given["StatementId"])
        return {}

    def GetPolicy(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Policy": json.dumps({"Statement": [{"Sid": name} for name in self.statements]})}

    def CreateTable(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{given['TableName']}"
        table = {**given, "TableStatus": "ACTIVE", "TableArn": arn}
        if "StreamSpecification" in given:
            table["LatestStreamArn"] = f"{arn}/stream/1"
        self.tables[given["TableName"]] = table
        return {}

    def DescribeTable(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Table": self.tables[given["TableName"]]}

    def UpdateTable(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        indexes = self.tables[given["TableName"]].setdefault("GlobalSecondaryIndexes", [])
        for change in given.get("GlobalSecondaryIndexUpdates", []):
            if "Create" in change:
                indexes.append(change["Create"])
            elif "Delete" in change:
                indexes[:] = [index for index in indexes if index["IndexName"] != change["Delete"]["IndexName"]]
        return {}


class MemoryStacks(dict[str, Any]):
    """A stack store that keeps what JSON keeps."""

    def put(self, name: str, state: dict[str, Any]) -> None:
        self[name] = json.loads(json.dumps(state))

    def list(self) -> list[str]:
        return [*self]


class Bench:
    """Everything that a deployment needs, and the files of one template."""

    def __init__(self, clients: Callable[[str], Any], world: World, folder: Path) -> None:
        self.clients = clients
        self.world = world
        self.folder = folder
        self.stacks = MemoryStacks()
        self.lines: list[str] = []

    def deploy(self, template: str | Path, name: str = "demo", **parameters: str) -> DeployResult:
        path = template if isinstance(template, Path) else self.write("template.yaml", template)
        self.lines.clear()
        return deploy(
            path,
            stack_name=name,
            parameters=parameters,
            clients=self.clients,
            stacks=self.stacks,
            account=ACCOUNT,
            region=REGION,
            endpoint=ENDPOINT,
            out=self.lines.append,
            cache=self.folder / "cache",
        )

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def state(self, name: str = "demo") -> dict[str, Any]:
        return {resource["LogicalId"]: resource for resource in self.stacks[name]["Resources"]}


class _Switch:
    """The world that answers: clients are costly and serve the whole session, worlds are one for each test."""

    world = World()


@pytest.fixture(scope="session")
def _answered() -> tuple[Callable[[str], Any], _Switch]:
    switch, made = _Switch(), {}
    session = boto3.Session("key", "secret", region_name=REGION)

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service, endpoint_url=ENDPOINT)
            _answer(made[service], switch)
        return made[service]

    return client, switch


def _answer(client: Any, switch: _Switch) -> None:
    given: dict[str, Any] = {}

    def remember(params: dict[str, Any], **_: Any) -> None:
        given["params"] = params

    def reply(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        world, operation = switch.world, model.name
        if operation in world.failing:
            code = world.codes.get(operation, "BadRequestException")
            error = {"Code": code, "Message": world.failing[operation]}
            return SimpleNamespace(status_code=400), {"Error": error, "ResponseMetadata": {}}
        if operation in world.gone:
            error = {"Code": "ResourceNotFoundException", "Message": "gone"}
            return SimpleNamespace(status_code=404), {"Error": error, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=200), world.answer(operation, given["params"])

    client.meta.events.register("provide-client-params.*", remember)
    client.meta.events.register("before-call.*", reply)


@pytest.fixture
def bench(_answered: tuple[Callable[[str], Any], _Switch], tmp_path: Path) -> Iterator[Bench]:
    clients, switch = _answered
    switch.world = World()
    yield Bench(clients, switch.world, tmp_path)


class LiveBench:
    """Stacks on the running program, read back with boto3."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.apigateway = server.client("apigateway")
        self.lines: list[str] = []
        self._clients = {"apigateway": self.apigateway}

    def deploy(self, template: str, name: str, **parameters: str) -> DeployResult:
        path = self.write("template.yaml", template)
        self.lines.clear()
        return deploy(
            path,
            stack_name=name,
            parameters=parameters,
            clients=self.client,
            stacks=HttpStackStore(self.server.url),
            account=ACCOUNT,
            region=REGION,
            endpoint=self.server.url,
            out=self.lines.append,
            cache=self.folder / "cache",
        )

    def remove(self, name: str) -> DeployResult:
        """Take everything out of a stack. Stacks have at least one resource."""
        return self.deploy("Resources: {Nothing: {Type: AWS::CDK::Metadata}}", name)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.server.client(service)
        return self._clients[service]

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path


@pytest.fixture
def live(server: Server, tmp_path: Path) -> LiveBench:
    return LiveBench(server, tmp_path)


def failures(live: LiveBench, template: str, name: str) -> list[str]:
    """Every problem of a deployment that must fail."""
    with pytest.raises(DeployError) as caught:
        live.deploy(template, name)
    return [str(problem) for problem in caught.value.problems]
