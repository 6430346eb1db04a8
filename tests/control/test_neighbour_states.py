"""Waiting for an execution that does not end: it is stopped when its time is over. The rest is tested through the running program
(tests/deploy/test_state_machines.py)."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from tidegate.control.neighbour_states import NamedExecutions

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:m"


class Endless:
    """A Step Functions whose executions run until they are stopped."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        operation = request.headers["X-Amz-Target"].partition(".")[2]
        self.calls.append((operation, json.loads(request.get_data())))
        stopped = any(name == "StopExecution" for name, _ in self.calls)
        execution = {"status": "ABORTED", "startDate": 10.0, "stopDate": 10.25} if stopped else {"status": "RUNNING"}
        answers: dict[str, dict[str, Any]] = {
            "DescribeStateMachine": {"type": "EXPRESS"},
            "StartExecution": {
                "executionArn": "arn:aws:states:us-east-1:000000000000:execution:m:n",
                "startDate": 10.0,
            },
            "DescribeExecution": {
                "executionArn": "arn:aws:states:us-east-1:000000000000:execution:m:n",
                "stateMachineArn": MACHINE,
                **execution,
            },
        }
        return Response(json.dumps(answers.get(operation, {})))(environ, start_response)


def ask(application: Any, operation: str, **parameters: str) -> Any:
    headers = {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
    return json.loads(Client(application).post("/", json=parameters, headers=headers).get_data())


def test_an_execution_that_takes_too_long_is_stopped() -> None:
    endless = Endless()
    answer = ask(NamedExecutions(endless, limit=0.0), "StartSyncExecution", stateMachineArn=MACHINE, name="n")
    assert (answer["status"], answer["name"]) == ("TIMED_OUT", "n")
    assert answer["executionArn"].startswith("arn:aws:states:us-east-1:000000000000:express:m:n:")
    assert answer["billingDetails"] == {"billedDurationInMilliseconds": 300, "billedMemoryUsedInMB": 64}
    assert "StopExecution" in dict(endless.calls)


def test_executions_get_names_and_other_calls_pass() -> None:
    endless = Endless()
    for name in ("", "mine"):
        ask(NamedExecutions(endless), "StartExecution", stateMachineArn=MACHINE, name=name)
    ask(NamedExecutions(endless), "ListExecutions", stateMachineArn=MACHINE)
    names = [given.get("name") for _, given in endless.calls]
    assert (len(names[0] or ""), names[1:]) == (36, ["mine", None])
