"""Two things that the neighbours' Step Functions lacks, put before it in its own process: every execution gets a name of its own,
and express workflows can be waited for.

WSGI on both sides; nothing of the neighbours' is changed.
AWS: Step Functions API Reference, "StartExecution", "StartSyncExecution".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import orjson
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

Wsgi: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]

_SERVICE = "AWSStepFunctions."
_LIMIT = 300.0
"""AWS: seconds that an express workflow may take."""
_POLL_SECONDS = 0.01
_BILLED_STEP = 100
"""AWS: milliseconds, rounded up, that an express workflow is billed in."""


class NeighbourError(Exception):
    """An answer of the neighbour that is an error: passed on as it is."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer.status)
        self.answer = answer


class NamedExecutions:
    """The neighbours' application with both."""

    def __init__(self, application: Wsgi, *, limit: float = _LIMIT) -> None:
        """`limit`: seconds that an execution may take that is waited for."""
        self._application = application
        self._limit = limit

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _, _, operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(_SERVICE)
        if operation not in ("StartExecution", "StartSyncExecution"):
            return self._application(environ, start_response)
        request = Request(environ)
        given = orjson.loads(request.get_data() or b"{}")
        asked = {**given, "name": given.get("name") or str(uuid.uuid4())}
        try:
            answer = self._begin(request, asked) if operation == "StartExecution" else self._run(request, asked)
        except NeighbourError as error:
            answer = Response(error.answer.get_data(), error.answer.status, error.answer.headers)
        return answer(environ, start_response)

    def _begin(self, request: Request, asked: dict[str, Any]) -> Response:
        return _json(self._ask(request, "StartExecution", asked))

    def _run(self, request: Request, asked: dict[str, Any]) -> Response:
        machine = {"stateMachineArn": asked["stateMachineArn"]}
        if self._ask(request, "DescribeStateMachine", machine)["type"] != "EXPRESS":
            text = "This operation is not supported by this type of state machine"
            return _json({"__type": "StateMachineTypeNotSupported", "message": text}, 400)
        execution = {"executionArn": self._ask(request, "StartExecution", asked)["executionArn"]}
        end = time.monotonic() + self._limit
        while (state := self._ask(request, "DescribeExecution", execution))["status"] == "RUNNING":
            if time.monotonic() > end:
                self._ask(request, "StopExecution", execution)
            time.sleep(_POLL_SECONDS)
        return _json(_finished(state, asked))

    def _ask(self, request: Request, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Call an operation of the neighbour as whoever asks."""
        headers = {
            "Authorization": request.headers.get("Authorization", ""),
            "Content-Type": "application/x-amz-json-1.0",
            "Host": request.host.removeprefix("sync-"),
            "X-Amz-Target": f"{_SERVICE}{operation}",
        }
        answer = Client(self._application).post("/", data=orjson.dumps(parameters), headers=headers)
        if answer.status_code != 200:
            raise NeighbourError(answer)
        result: dict[str, Any] = orjson.loads(answer.get_data())
        return result


def _finished(state: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What StartSyncExecution says of an execution that has ended."""
    status = "TIMED_OUT" if state["status"] == "ABORTED" else state["status"]
    kept = ("startDate", "stopDate", "input", "output", "error", "cause", "stateMachineArn")
    milliseconds = int((state["stopDate"] - state["startDate"]) * 1000)
    billed = -(-milliseconds // _BILLED_STEP) * _BILLED_STEP
    # AWS: an express execution's ARN has two names, that of the execution and one for this run of it.
    arn = state["executionArn"].replace(":execution:", ":express:", 1)
    return {
        "executionArn": f"{arn}:{uuid.uuid4()}",
        "name": asked["name"],
        "status": status,
        "billingDetails": {"billedDurationInMilliseconds": billed, "billedMemoryUsedInMB": 64},
        "inputDetails": {"included": True},
        "outputDetails": {"included": True},
        **{name: state[name] for name in kept if state.get(name) is not None},
    }


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, content_type="application/x-amz-json-1.0")
