"""Provisioned concurrency: workers that are up before they are called, and stay, through boto3."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server, make_function, zip_of

CODE = """
import os, socket
def handler(event, context):
    if "hold" in event:
        socket.create_connection(("127.0.0.1", event["hold"])).recv(1)
    return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]]
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With workers that go as soon as they have nothing to do."""
    limits = {"TIDEGATE_WORKER_IDLE": "0.05", "TIDEGATE_WORKERS_PER_FUNCTION": "4"}
    running = Server(tmp_path_factory.mktemp("provisioned"), environment=limits).start()
    yield running
    running.stop()


def published(server: Server, name: str, code: str = CODE, alias: str | None = None) -> Any:
    make_function(server, name, code, Publish=True, Timeout=20)
    client = server.client("lambda")
    if alias is not None:
        client.create_alias(FunctionName=name, Name=alias, FunctionVersion="1")
    return client


def until(server: Server, name: str, qualifier: str, status: str) -> dict[str, Any]:
    client = server.client("lambda")
    found: dict[str, Any] = {}

    def reached() -> bool:
        found.update(client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier))
        return bool(found["Status"] == status)

    server.until(reached)
    return found


def call(client: Any, name: str, event: object = None) -> Any:
    return json.loads(client.invoke(FunctionName=name, Payload=json.dumps(event or {}))["Payload"].read())


def test_workers_of_an_alias_are_up_before_they_are_called_and_stay(alone: Server) -> None:
    client = published(alone, "warm", alias="live")
    put = client.put_provisioned_concurrency_config(
        FunctionName="warm", Qualifier="live", ProvisionedConcurrentExecutions=2
    )
    assert (put["ResponseMetadata"]["HTTPStatusCode"], put["RequestedProvisionedConcurrentExecutions"]) == (202, 2)
    ready = until(alone, "warm", "live", "READY")
    assert ready["AvailableProvisionedConcurrentExecutions"] == ready["AllocatedProvisionedConcurrentExecutions"] == 2
    assert len(alone.processes("warm")) == 2
    assert call(client, "warm:live")[0] == "provisioned-concurrency"
    # Another function's worker comes and goes in the time that an idle one is kept.
    make_function(alone, "passing", CODE)
    call(client, "passing")
    alone.until(lambda: not alone.processes("passing"))
    assert len(alone.processes("warm")) == 2
    assert call(client, "warm:live")[0] == "provisioned-concurrency"
    assert call(client, "warm")[0] == "on-demand", "$LATEST has none"


def test_more_calls_than_workers_spill_over(alone: Server) -> None:
    client = published(alone, "spill", alias="live")
    client.put_provisioned_concurrency_config(FunctionName="spill", Qualifier="1", ProvisionedConcurrentExecutions=1)
    until(alone, "spill", "1", "READY")
    with socket.create_server(("127.0.0.1", 0)) as gate, ThreadPoolExecutor(1) as thread:
        held = thread.submit(call, alone.client("lambda"), "spill:live", {"hold": gate.getsockname()[1]})
        holder, _ = gate.accept()  # now the only worker is at work
        assert call(client, "spill:live")[0] == "on-demand"
        holder.close()
        assert held.result()[0] == "provisioned-concurrency"


def test_a_worker_that_dies_is_replaced(alone: Server) -> None:
    client = published(alone, "dies")
    client.put_provisioned_concurrency_config(FunctionName="dies", Qualifier="1", ProvisionedConcurrentExecutions=1)
    until(alone, "dies", "1", "READY")
    (pid,) = alone.processes("dies")
    os.kill(pid, signal.SIGKILL)
    alone.until(lambda: alone.processes("dies") not in ([], [pid]))
    until(alone, "dies", "1", "READY")
    assert call(client, "dies:1")[0] == "provisioned-concurrency"


def test_an_init_that_fails_is_told(alone: Server) -> None:
    client = published(alone, "broken", "raise ValueError('no')\n")
    client.put_provisioned_concurrency_config(FunctionName="broken", Qualifier="1", ProvisionedConcurrentExecutions=1)
    failed = until(alone, "broken", "1", "FAILED")
    assert failed["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert call(client, "broken:1")["errorType"] == "ValueError"


def test_fewer_and_none(alone: Server) -> None:
    client = published(alone, "fewer")
    at = {"FunctionName": "fewer", "Qualifier": "1"}
    client.put_provisioned_concurrency_config(**at, ProvisionedConcurrentExecutions=3)
    until(alone, "fewer", "1", "READY")
    client.put_provisioned_concurrency_config(**at, ProvisionedConcurrentExecutions=1)
    assert until(alone, "fewer", "1", "READY")["AvailableProvisionedConcurrentExecutions"] == 1
    (listed,) = client.list_provisioned_concurrency_configs(FunctionName="fewer")["ProvisionedConcurrencyConfigs"]
    assert listed["FunctionArn"].endswith(":function:fewer:1")
    assert listed["Status"] == "READY"
    client.delete_provisioned_concurrency_config(**at)
    with pytest.raises(client.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        client.get_provisioned_concurrency_config(**at)
    alone.until(lambda: not alone.processes("fewer"))


def test_an_alias_takes_its_workers_to_another_version(alone: Server) -> None:
    client = published(alone, "moves", alias="live")
    client.put_provisioned_concurrency_config(FunctionName="moves", Qualifier="live", ProvisionedConcurrentExecutions=1)
    until(alone, "moves", "live", "READY")
    client.update_function_code(FunctionName="moves", ZipFile=zip_of({"app.py": f"{CODE}#"}), Publish=True)
    client.update_alias(FunctionName="moves", Name="live", FunctionVersion="2")
    until(alone, "moves", "live", "READY")
    assert "[2]" in call(client, "moves:live")[1]
    assert call(client, "moves:1")[0] == "on-demand"


def test_it_survives_a_restart(tmp_path: Path) -> None:
    first = Server(tmp_path).start()
    client = published(first, "again")
    client.put_provisioned_concurrency_config(FunctionName="again", Qualifier="1", ProvisionedConcurrentExecutions=1)
    first.stop()
    second = Server(tmp_path).start()
    try:
        until(second, "again", "1", "READY")
        assert len(second.processes("again")) == 1
        assert second.request("POST", "/_tidegate/reset").status == 200
        second.until(lambda: not second.processes("again"))
    finally:
        second.stop()


def test_what_is_refused(alone: Server) -> None:
    client = published(alone, "refused", alias="live")
    client.create_alias(FunctionName="refused", Name="latest", FunctionVersion="$LATEST")
    client.put_function_concurrency(FunctionName="refused", ReservedConcurrentExecutions=3)

    def put(qualifier: str, number: int = 1) -> str:
        with pytest.raises(ClientError) as refused:
            client.put_provisioned_concurrency_config(
                FunctionName="refused", Qualifier=qualifier, ProvisionedConcurrentExecutions=number
            )
        error = refused.value.response["Error"]
        return f"{error['Code']}: {error['Message']}"

    unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    assert put("$LATEST") == f"InvalidParameterValueException: {unpublished}"
    assert put("latest") == f"InvalidParameterValueException: {unpublished}"
    assert put("2").startswith("ResourceNotFoundException")
    assert put("1", 5).startswith(
        "InvalidParameterValueException: Tidegate keeps at most 4 workers of a function, not 5"
    )
    assert put("1", 4) == (
        "InvalidParameterValueException: Requested Provisioned Concurrency should not be greater than the "
        "reservedConcurrentExecution for function"
    )
    client.put_provisioned_concurrency_config(
        FunctionName="refused", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    assert put("1") == "InvalidParameterValueException: Version is pointed by a Provisioned Concurrency alias"
    client.update_function_code(FunctionName="refused", ZipFile=zip_of({"app.py": f"{CODE}#"}), Publish=True)
    with pytest.raises(ClientError, match="Alias with weights can not be used with Provisioned Concurrency"):
        client.update_alias(FunctionName="refused", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
