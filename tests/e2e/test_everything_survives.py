"""One of every kind of entity: it is back after a restart, works, and is gone after a reset; conflicting calls at the same time
leave an API that is whole."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.control.test_hostile_calls import EXACTLY, PATHS, SERVICE, Caller, reads, tracebacks, world
from tests.support.hostile import ACCOUNT, Hostility
from tests.support.running import Server

CONFLICTING = (
    "CreateResource DeleteResource UpdateResource PutMethod DeleteMethod PutIntegration UpdateIntegration PutMethodResponse "
    "PutIntegrationResponse CreateDeployment DeleteDeployment CreateStage UpdateStage DeleteStage CreateModel DeleteModel "
    "GetResources GetExport UpdateUsagePlan CreateUsagePlanKey DeleteUsagePlanKey"
).split()


def test_everything_is_back_after_a_restart_and_gone_after_a_reset(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    made = world(server)
    ids = {**made, "resourceid": made["resourceid"][1:2], **EXACTLY}
    before = reads(server, ids)
    server.kill()
    server = Server(tmp_path).start()
    try:
        assert reads(server, ids) == before
        host = {"Host": f"{made['domainname'][0]}"}
        assert server.request("GET", "/v1/a", headers=host).status == 200
        assert server.call(made["restapiid"][0], "/prod/a").json == {}
        assert server.request("POST", "/_tidegate/reset").status == 200
        client = server.client("apigateway", key=ACCOUNT)
        lists = ("rest_apis", "api_keys", "usage_plans", "domain_names", "vpc_links", "client_certificates")
        assert [getattr(client, f"get_{name}")()["items"] for name in lists] == [[]] * len(lists)
        assert server.call(made["restapiid"][0], "/prod/a").status in (403, 404)
        assert tracebacks(server) == []
    finally:
        server.stop()


def test_conflicting_calls_at_the_same_time(server: Server) -> None:
    ids = world(server)
    api = ids["restapiid"][0]

    def conflict(seed: int) -> None:
        chance, caller = random.Random(seed), Caller(server)
        hostility = Hostility(chance, ids, PATHS, wrong=0.02)
        for _ in range(60):
            caller.send(hostility.call(SERVICE.operation_model(chance.choice(CONFLICTING))))
        caller.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(conflict, range(6)))
    client = server.client("apigateway", key=ACCOUNT)
    resources = client.get_resources(restApiId=api, embed=["methods"], limit=500)["items"]
    paths = {resource["id"]: resource["path"] for resource in resources}
    for resource in resources:
        if "parentId" in resource:
            above = paths[resource["parentId"]].rstrip("/")
            assert resource["path"] == f"{above}/{resource['pathPart']}"
        else:
            assert resource["path"] == "/"
    for stage in client.get_stages(restApiId=api)["item"]:
        client.get_deployment(restApiId=api, deploymentId=stage["deploymentId"])
