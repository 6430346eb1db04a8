"""Starts AWS's runtime client in a function's process: `launch.py HANDLER OPT [LIBRARIES…]`.

AWS's client and what it needs are imported before the function's directory comes onto the path, so that a function may
hold modules of the same names. Runs on every Python that functions run on, and imports nothing of ours.

AWS: "Building Lambda functions with Python", search path: the code, the layers, the runtime's own.
"""

import os
import sys

del sys.path[0]  # this file's own directory

from awslambdaric.__main__ import main  # noqa: E402

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
