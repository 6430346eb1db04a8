"""What was acknowledged is there after a kill; what was never told is told; a second start refuses what it cannot read."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.running import ApiBuilder, Server, make_function


def test_kill_during_a_thousand_writes(tmp_path: Path) -> None:
    """Four writers, a kill in the middle: every acknowledged name is there afterwards."""
    server = Server(tmp_path / "data").start()
    acknowledged: list[str] = []
    enough = threading.Event()

    def write(writer: int) -> None:
        client = server.client("apigateway")
        for number in range(250):
            name = f"api-{writer}-{number}"
            try:
                client.create_rest_api(name=name)
            except (BotoCoreError, ClientError):
                return
            acknowledged.append(name)
            if len(acknowledged) >= 400:
                enough.set()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    assert enough.wait(60)
    server.kill()
    for writer in writers:
        writer.join()
    server.start()
    pages = server.client("apigateway").get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 500})
    kept = {api["name"] for page in pages for api in page["items"]}
    assert set(acknowledged) <= kept
    # The last call of each writer may have been committed without having been acknowledged; nothing else is new.
    assert len(kept) <= len(acknowledged) + len(writers)
    server.stop()


def test_everything_serves_again_after_a_kill(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    arn = make_function(server, "hello", "def handler(e, c):\n    return {'statusCode': 200, 'body': 'hello'}\n")
    server.client("lambda").add_permission(
        FunctionName="hello", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = ApiBuilder(server).mock("/m", "GET", "mock").function("/f", "GET", arn).deploy()
    assert server.call(api, "/prod/f").body == b"hello"
    server.kill()
    server.start()
    assert server.call(api, "/prod/m").body == b"mock"
    assert server.call(api, "/prod/f").body == b"hello"
    server.stop()


def test_sigterm_answers_what_is_in_flight(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    code = "import time\ndef handler(e, c):\n    time.sleep(1)\n    return {'statusCode': 200, 'body': 'late'}\n"
    arn = make_function(server, "late", code, Timeout=10)
    server.client("lambda").add_permission(
        FunctionName="late", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = ApiBuilder(server).function("/f", "GET", arn).deploy()
    answers: list[bytes] = []
    callers = [threading.Thread(target=lambda: answers.append(server.call(api, "/prod/f").body)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for _ in range(200):
        if "tidegate_function_workers_busy 0" not in server.request("GET", "/_tidegate/metrics").body.decode():
            break
    assert server.stop() == 0
    for caller in callers:
        caller.join()
    assert answers == [b"late"] * 4


def test_an_unreadable_store_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Server(data).start().stop()
    with sqlite3.connect(data / "tidegate.db") as database:
        database.execute("UPDATE state SET value = 99 WHERE name = 'schema'")
    with pytest.raises(AssertionError, match="schema 99"):
        Server(data).start()
    (data / "tidegate.db").write_bytes(b"no database at all, but long enough to look at" * 100)
    with pytest.raises(AssertionError, match="cannot use the store"):
        Server(data).start()


def test_reset_forgets_everything(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    make_function(server, "gone", "def handler(e, c):\n    return 1\n")
    api = ApiBuilder(server).mock("/", "GET", "x").deploy()
    assert server.request("POST", "/_tidegate/reset").status == 200
    assert server.call(api, "/prod/").status == 403
    assert server.client("apigateway").get_rest_apis()["items"] == []
    client = server.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="gone")
    server.stop()
