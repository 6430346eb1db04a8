"""Code that lies in S3, fetched from the neighbour before the operation that names it runs; or in a local folder, which is
written as an object of the bucket `hot-reload`.

Source: *FunctionCode*, *LayerVersionContentInput*. The messages are those that Lambda passes on from S3.
"""

from __future__ import annotations

import re
from typing import Any, Protocol
from urllib.parse import quote

from tidegate.aws.caller import AwsCaller
from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.awslambda.local_folders import BUCKET, LocalFolders
from tidegate.control.awslambda.lookup import invalid
from tidegate.core.message import UpstreamError

_MAX_OBJECT = 250 * 1024 * 1024
_ELEMENT = r"<{0}>([^<]*)</{0}>"
_HOLDERS = {"CreateFunction": "code", "PublishLayerVersion": "content", "UpdateFunctionCode": None}
"""Operation → the parameter that may name an object; None: the call itself does."""


class Objects(Protocol):
    async def get(self, scope: Scope, bucket: str, key: str, version: str | None) -> bytes:
        """Raises ControlError."""
        ...


class S3Objects:
    def __init__(self, caller: AwsCaller) -> None:
        self._caller = caller

    async def get(self, scope: Scope, bucket: str, key: str, version: str | None) -> bytes:
        query = f"versionId={quote(version, safe='')}" if version else ""
        path = f"/{bucket}/{quote(key, safe='/-_.~')}"
        try:
            answer = await self._caller.call(
                "s3", scope, "GET", path, query=query, headers={}, max_body=_MAX_OBJECT, timeout=120.0
            )
        except UpstreamError as error:
            raise invalid(f"Error occurred while GetObject. {error}") from error
        if answer.status != 200:
            text = answer.body.decode("utf-8", "replace")
            code, message = (_element(name, text) for name in ("Code", "Message"))
            raise invalid(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")
        return answer.body


def _element(name: str, text: str) -> str:
    found = re.search(_ELEMENT.format(name), text)
    return found[1] if found else "unknown"


async def with_object(objects: Objects, folders: LocalFolders, operation: str, params: Params, scope: Scope) -> Params:
    """The parameters with the object's bytes beside its name, or the folders that it stands for. Raises ControlError."""
    if operation not in _HOLDERS:
        return params
    holder = _HOLDERS[operation]
    code: dict[str, Any] = params if holder is None else (params.get(holder) or {})
    bucket, key = code.get("s3_bucket"), code.get("s3_key")
    if not (bucket and key):
        return params
    if code.get("zip_file") is not None:
        raise invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
    if bucket == BUCKET and operation != "PublishLayerVersion":
        given = {**code, "folders": folders.read(key)}
    else:
        given = {**code, "zip_file": await objects.get(scope, bucket, key, code.get("s3_object_version"))}
    return given if holder is None else {**params, holder: given}
