"""The neighbours as a child process: moto's own server, ending when its parent does. `python -m …neighbour_process PORT`.

Everything that is AWS and not ours (DynamoDB, SQS, S3 and the rest) is answered there for local work. State machines go through
their states; what a task calls is called at Tidegate, whose port `MOTO_PORT` says: functions are ours.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any

from werkzeug.serving import make_server
from werkzeug.test import Client

from tidegate.control.neighbour_states import NamedExecutions


def main() -> None:
    moto: Any = importlib.import_module("moto.server")
    application = moto.DomainDispatcherApplication(moto.create_backend_app)
    Client(application).post("/moto-api/config", json={"stepfunctions": {"execute_state_machine": True}})
    server = make_server(
        "127.0.0.1",
        int(sys.argv[1]),
        NamedExecutions(application),
        threaded=True,
        request_handler=moto.MotoRequestHandler,
    )
    # A parent that was killed closes our standard input: then there is nobody left to serve.
    threading.Thread(target=_exit_with_parent, daemon=False).start()
    server.serve_forever()


def _exit_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
