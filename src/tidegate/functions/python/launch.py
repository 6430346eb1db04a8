"""Starts AWS's runtime client in a function's process: `launch.py [--debug=PORT:DEBUGPY] [--fresh] HANDLER OPT
[LIBRARIES…]`.

AWS's client speaks through our module `runtime_client` (this directory) in the place of its own. It and what it needs are
imported before the function's directory comes onto the path, so that a function may hold modules of the same names. With a
debugger, debugpy listens on the port before the function's code is loaded; it is imported from the directory that is named,
so that nothing else beside it can be imported. Runs on every Python that functions run on, and imports nothing of ours but
that module.

AWS: "Building Lambda functions with Python", search path: the code, the layers, the runtime's own.
"""

from __future__ import annotations

import os
import re
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module `typing` would cost a fifth of a cold start
    from typing import Any

_own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs too much here
sys.path.insert(0, _own)

import runtime_client  # noqa: E402, F401 - AWS's client finds it loaded

sys.path[:] = [directory for directory in sys.path if directory != _own]

from awslambdaric.__main__ import main  # noqa: E402

_PORTS = (80, 443, "80", "443", b"80", b"443", "http", "https", b"http", b"https")


def lead_home(host: str, port: str, names: str) -> None:
    """Names of AWS that the gateway answers lead to it, on the ports of http and https, whatever library asks.

    Such a name resolves to an address of this machine that nobody has, and connecting to that address connects to the
    gateway: libraries that resolve first and keep the port to themselves (asyncio's, anyio) get there too.
    """
    stand_in = "::ffff:127.84.71.1" if ":" in host else "127.84.71.1"
    resolve, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex

    def is_ours(name: object) -> bool:
        if isinstance(name, (bytes, bytearray)):
            name = name.decode("ascii", "replace")
        # Compiled when it is first asked for, and kept by `re`.
        return isinstance(name, str) and re.fullmatch(names, name.rstrip("."), re.IGNORECASE) is not None

    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:
        if port in _PORTS and is_ours(host):
            host = stand_in
        return resolve(host, port, family, type, proto, flags)

    def led(address: Any) -> Any:
        if isinstance(address, tuple) and len(address) > 1 and address[1] in _PORTS:
            name = address[0]
            if name == stand_in or is_ours(name):
                return (host, int(port), *address[2:])
        return address

    patched: Any = socket
    patched.getaddrinfo = getaddrinfo
    patched.socket.connect = lambda self, address: connect(self, led(address))
    patched.socket.connect_ex = lambda self, address: connect_ex(self, led(address))


def listen(port: str, directory: str) -> None:
    import importlib.util

    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    found: Any = importlib.util.spec_from_file_location(
        "debugpy", f"{directory}/__init__.py", submodule_search_locations=[directory]
    )
    debugpy: Any = importlib.util.module_from_spec(found)
    sys.modules["debugpy"] = debugpy
    found.loader.exec_module(debugpy)
    debugpy.configure(subProcess=False)
    debugpy.listen(("127.0.0.1", int(port)))


def load_fresh(root: str) -> None:
    """Of modules below the root nothing compiled is kept or used: it would count as fresh when the source's size and second
    are the same, which is too coarse for code that is being edited.
    """
    from importlib.machinery import (
        EXTENSION_SUFFIXES,
        SOURCE_SUFFIXES,
        ExtensionFileLoader,
        FileFinder,
        SourceFileLoader,
    )

    class Uncached(SourceFileLoader):
        def path_stats(self, path: Any) -> Any:
            raise OSError("what importlib takes as: do not cache")

    def finder(path: str) -> FileFinder:
        if not f"{path}/".startswith(f"{root}/"):
            raise ImportError(path)
        return FileFinder(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (Uncached, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, finder)
    # Its child processes keep theirs elsewhere.
    os.environ.setdefault("PYTHONPYCACHEPREFIX", os.environ["TMPDIR"] + "/.pycache")


_names = os.environ.pop("_TIDEGATE_NAMES", None)
if _names is not None:
    lead_home(*_names.split(" ", 2))

if sys.argv[1].startswith("--debug="):
    listen(*sys.argv.pop(1)[len("--debug=") :].split(":", 1))
if sys.argv[1] == "--fresh":
    load_fresh(os.environ["LAMBDA_TASK_ROOT"])
    del sys.argv[1]
_, handler, layers, *libraries = sys.argv
version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
sys.path[:0] = [
    os.environ["LAMBDA_TASK_ROOT"],
    *libraries,
    f"{layers}/python/lib/{version}/site-packages",
    f"{layers}/python",
]
sys.argv = ["bootstrap.py", handler]
main(sys.argv)
