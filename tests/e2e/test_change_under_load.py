"""A definition that changes under traffic: no request is dropped, and none sees a half-made change."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from tests.support.running import ApiBuilder, Server

_CLIENTS = 4
_DEPLOYMENTS = 40


@dataclass
class Caller:
    """One kept-alive connection that calls and calls; every answer's number is noted."""

    port: int
    host: str
    stop: threading.Event
    seen: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.stop.is_set():
            try:
                connection.request("GET", "/prod/a/b", headers={"Host": self.host})
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))
                return
            # The header's and the body's numbers are changed by two calls, and deployed by one.
            if answer.status != 200 or body.decode() != answer.getheader("N"):
                self.wrong.append(f"{answer.status} {answer.getheader('N')} {body!r}")
            else:
                self.seen.append(int(body))
        connection.close()


def _set(api: ApiBuilder, number: int) -> None:
    api.client.update_integration_response(
        restApiId=api.id,
        resourceId=api.resources["/a/b"],
        httpMethod="GET",
        statusCode="200",
        patchOperations=[
            {"op": "replace", "path": "/responseTemplates/application~1json", "value": str(number)},
            {"op": "replace", "path": "/responseParameters/method.response.header.N", "value": f"'{number}'"},
        ],
    )


def test_deployments_stage_settings_and_neighbours_change_without_a_dropped_request(server: Server) -> None:
    api = ApiBuilder(server).mock("/a/b", "GET", body="0", N="'0'")
    api.deploy()
    stop = threading.Event()
    host = f"{api.id}.execute-api.us-east-1.amazonaws.com"
    callers = [Caller(server.port, host, stop) for _ in range(_CLIENTS)]
    threads = [threading.Thread(target=caller.run) for caller in callers]
    for thread in threads:
        thread.start()
    for number in range(1, _DEPLOYMENTS + 1):
        _set(api, number)
        # AWS: the draft is not served.
        assert server.call(api.id, "/prod/a/b").body == str(number - 1).encode()
        api.client.create_deployment(restApiId=api.id, stageName="prod")
        assert server.call(api.id, "/prod/a/b").body == str(number).encode()
        api.client.update_stage(
            restApiId=api.id,
            stageName="prod",
            patchOperations=[{"op": "replace", "path": "/*/*/throttling/burstLimit", "value": str(4000 + number)}],
        )
        other = ApiBuilder(server, f"other-{number}").mock("/", "GET")
        other.deploy()
        other.client.delete_rest_api(restApiId=other.id)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert [caller.wrong for caller in callers] == [[]] * _CLIENTS
    for caller in callers:
        assert caller.seen == sorted(caller.seen), "an older definition came back"
        assert len(set(caller.seen)) > 1
        assert caller.seen[-1] == _DEPLOYMENTS


def test_management_calls_at_the_same_time_lose_nothing(server: Server) -> None:
    """Sixteen threads make resources and methods in one API: all are there, and the tree is whole."""
    api = ApiBuilder(server, "crowd")
    failures: list[str] = []

    def work(number: int) -> None:
        client = server.client("apigateway")
        try:
            top = client.create_resource(restApiId=api.id, parentId=api.resources["/"], pathPart=f"t{number}")["id"]
            for part in ("a", "b", "c"):
                made = client.create_resource(restApiId=api.id, parentId=top, pathPart=part)["id"]
                client.put_method(restApiId=api.id, resourceId=made, httpMethod="GET", authorizationType="NONE")
                client.put_integration(restApiId=api.id, resourceId=made, httpMethod="GET", type="MOCK")
        except (ClientError, BotoCoreError) as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    resources = api.client.get_resources(restApiId=api.id, limit=500, embed=["methods"])["items"]
    paths = {resource["path"]: resource for resource in resources}
    assert set(paths) == {"/"} | {f"/t{n}" for n in range(16)} | {f"/t{n}/{part}" for n in range(16) for part in "abc"}
    for n in range(16):
        for part in "abc":
            child = paths[f"/t{n}/{part}"]
            assert child["parentId"] == paths[f"/t{n}"]["id"]
            assert child["resourceMethods"]["GET"]["methodIntegration"]["type"] == "MOCK"


def test_of_two_that_make_the_same_one_wins(server: Server) -> None:
    api = ApiBuilder(server, "race")
    outcomes: list[str] = []

    def work() -> None:
        client = server.client("apigateway")
        try:
            client.create_resource(restApiId=api.id, parentId=api.resources["/"], pathPart="same")
            outcomes.append("made")
        except client.exceptions.ConflictException:
            outcomes.append("conflict")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["conflict"] * 7 + ["made"]
