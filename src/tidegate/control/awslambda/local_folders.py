"""Code in a folder of this machine: `S3Bucket` is `hot-reload`, `S3Key` the folder's absolute path. What is saved there runs
from the next invocation on.

Behind the path, after a colon each, may stand folders with what the code needs and does not hold (Python). Not here: noticing
a save (functions.folders).
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tidegate.control.awslambda.lookup import invalid

BUCKET: Final = "hot-reload"


@dataclass(frozen=True, slots=True)
class LocalFolders:
    allowed: bool
    """Whoever may call the management API can then read what the server can read: not for everybody's network."""

    def read(self, key: str) -> list[str]:
        """The code's folder, then those of its libraries. Raises ControlError."""
        if not self.allowed:
            raise invalid(
                "Code in a local folder is refused, since others than this machine can reach the server: "
                "start Tidegate with --hot-reload on"
            )
        folders = [os.path.normpath(path) for path in re.split(":(?=/)", key)]
        for folder in folders:
            if not os.path.isabs(folder):  # noqa: PTH117 - a text, not a path yet
                raise invalid(
                    f"The S3Key of code in the bucket {BUCKET} is the absolute path of a folder, unlike {key}"
                )
            if not Path(folder).is_dir():
                raise invalid(f"{folder} is not a folder on the machine that Tidegate runs on")
            if not os.access(folder, os.R_OK | os.X_OK):
                raise invalid(f"Tidegate may not read the folder {folder}")
        return folders


def name_hash(folder: str) -> str:
    """What stands for CodeSha256: the code itself has one only until the next save."""
    return base64.b64encode(hashlib.sha256(folder.encode("utf-8", "surrogateescape")).digest()).decode()
