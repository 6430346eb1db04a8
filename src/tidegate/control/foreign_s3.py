"""What a call of S3 needs: its actions are not named after its operations, and a bucket may stand in the host.

Source: *Actions, resources, and condition keys for Amazon S3*, *Virtual hosting of general purpose buckets*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

from tidegate.control.access import Need
from tidegate.core.errors import ControlError
from tidegate.core.message import Request

_HOST = re.compile(r"(?P<bucket>.+)\.(?P<rest>s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com|localhost)")
_PLAIN_HOST = re.compile(r"localhost|[0-9.]+|\[[0-9a-f:]+\]|s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com")
_PUT = "PutObject"
_SUBRESOURCES = {
    "accelerate": "AccelerateConfiguration",
    "acl": "Acl",
    "analytics": "AnalyticsConfiguration",
    "attributes": "Attributes",
    "cors": "CORS",
    "encryption": "EncryptionConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration",
    "inventory": "InventoryConfiguration",
    "legal-hold": "LegalHold",
    "lifecycle": "LifecycleConfiguration",
    "location": "Location",
    "logging": "Logging",
    "metrics": "MetricsConfiguration",
    "notification": "Notification",
    "object-lock": "ObjectLockConfiguration",
    "ownershipControls": "OwnershipControls",
    "policy": "Policy",
    "policyStatus": "PolicyStatus",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "ReplicationConfiguration",
    "requestPayment": "RequestPayment",
    "retention": "Retention",
    "tagging": "Tagging",
    "versioning": "Versioning",
    "website": "Website",
}
"""Query argument → how the actions end that read and write it."""
_PLAIN = frozenset({"EncryptionConfiguration", "LifecycleConfiguration", "ReplicationConfiguration"})
_UNREAD = frozenset({"restore", "select", "torrent", "session", "metadataTable"})
_VERBS = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete"}


def s3_needs(request: Request) -> Iterator[Need]:
    """Raises ControlError for a call that cannot be told."""
    bucket, key = _place(request)
    arguments = dict(parse_qsl(request.query, keep_blank_values=True))
    whole = f"arn:aws:s3:::{bucket}"
    if not bucket:
        yield Need("s3:ListAllMyBuckets")
        return
    if arguments.keys() & _UNREAD or request.method not in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        raise _unclear(request)
    named = [name for name in _SUBRESOURCES if name in arguments]
    if len(named) > 1:
        raise _unclear(request)
    if named:
        yield Need(f"s3:{_of_subresource(request.method, named[0], key)}", f"{whole}/{key}" if key else whole)
    elif key:
        yield from _of_object(request, f"{whole}/{key}", arguments)
    else:
        yield from _of_bucket(request, whole, arguments)


def host_of_bucket(request: Request) -> tuple[str, str]:
    """The bucket that the host names, and the host without it. Raises ControlError for a host that is neither form."""
    host = (request.headers.get(b"host") or b"").decode("latin-1").lower()
    port = re.search(r":[0-9]+$", host)
    name, end = (host, "") if port is None else (host[: port.start()], port[0])
    if _PLAIN_HOST.fullmatch(name):
        return "", host
    found = _HOST.fullmatch(name)
    if found is None:
        raise _unclear(request)
    return found["bucket"], found["rest"] + end


def _place(request: Request) -> tuple[str, str]:
    bucket, _ = host_of_bucket(request)
    path = unquote(request.path).removeprefix("/")
    if bucket:
        return bucket, path
    bucket, _, key = path.partition("/")
    return bucket, key


def _of_subresource(method: str, name: str, key: str) -> str:
    verb, end = _VERBS.get(method), _SUBRESOURCES[name]
    if verb is None:
        verb = "Put"
    if end in _PLAIN:
        return f"{'Get' if verb == 'Get' else 'Put'}{end}"
    return f"{verb}{'Object' if key else 'Bucket'}{end}"


def _of_object(request: Request, arn: str, arguments: dict[str, str]) -> Iterator[Need]:
    version = "Version" if arguments.get("versionId") else ""
    if request.method in ("GET", "HEAD"):
        yield Need("s3:ListMultipartUploadParts" if "uploadId" in arguments else f"s3:GetObject{version}", arn)
    elif request.method == "DELETE":
        yield Need("s3:AbortMultipartUpload" if "uploadId" in arguments else f"s3:DeleteObject{version}", arn)
    else:
        yield Need(f"s3:{_PUT}", arn)
    source = request.headers.get(b"x-amz-copy-source")
    if source is not None:
        yield Need("s3:GetObject", f"arn:aws:s3:::{unquote(source.decode('latin-1')).lstrip('/').partition('?')[0]}")


def _of_bucket(request: Request, arn: str, arguments: dict[str, str]) -> Iterator[Need]:
    if request.method in ("GET", "HEAD"):
        action = "ListBucketVersions" if "versions" in arguments else "ListBucket"
        yield Need("s3:ListBucketMultipartUploads" if "uploads" in arguments else f"s3:{action}", arn)
    elif request.method == "POST":
        # Several objects at a time, which are named in the body.
        yield Need("s3:DeleteObject" if "delete" in arguments else f"s3:{_PUT}", f"{arn}/*")
    else:
        yield Need("s3:CreateBucket" if request.method == "PUT" else "s3:DeleteBucket", arn)


def _unclear(request: Request) -> ControlError:
    return ControlError("AccessDenied", f"Tidegate cannot tell what s3 {request.method} {request.path} is", 403)
