"""The neighbours as a child process: moto's own server, ending when its parent does. `python -m …neighbour_process PORT`.

Everything that is AWS and not ours (DynamoDB, SQS, S3 and the rest) is answered there for local work.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any


def main() -> None:
    from moto.server import ThreadedMotoServer

    server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False)
    server.start()
    # A parent that was killed closes our standard input: then there is nobody left to serve.
    threading.Thread(target=_exit_with_parent, daemon=False).start()


def _exit_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
