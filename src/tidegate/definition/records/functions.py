"""Lambda functions as declared: `$LATEST`, published versions, aliases, URLs, layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidegate.definition.records.base import Record

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvoke:
    """How asynchronous invocations are treated. Members are None where AWS's defaults hold (2 and 21600)."""

    maximum_retry_attempts: int | None = None
    maximum_event_age_in_seconds: int | None = None
    on_success: str | None = None
    """ARN of a destination."""
    on_failure: str | None = None
    last_modified: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLayer:
    """A layer that a function uses. It stays usable when its version is deleted, so its code is named here."""

    arn: str
    code_sha256: str
    code_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocable(Record):
    """What a qualifier can mean: `$LATEST`, a version or an alias. Each has a policy of its own."""

    function_name: str
    revision_id: str
    policy: list[dict[str, Any]] = field(default_factory=list)
    """Statements of the resource policy, in the policy language."""
    policy_revision_id: str = ""
    event_invoke: EventInvoke | None = None
    provisioned_concurrency: int | None = None
    """Never of `$LATEST`."""
    provisioned_since: str = ""
    """When it was set last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured(Invocable):
    """Code and configuration. Field names are the Lambda API's in snake_case."""

    function_arn: str
    """Without a qualifier."""
    role: str
    runtime: str
    handler: str
    code_sha256: str
    code_size: int
    last_modified: str
    description: str = ""
    timeout: int = 3
    memory_size: int = 128
    ephemeral_storage: int = 512
    """MB of /tmp."""
    environment: dict[str, str] | None = None
    architectures: list[str] = field(default_factory=lambda: ["x86_64"])
    tracing_mode: str = "PassThrough"
    layers: list[FunctionLayer] = field(default_factory=list)
    dead_letter_target: str | None = None
    """ARN of a queue or topic."""
    folder: str | None = None
    """A local directory with the code, in place of a package."""
    libraries: list[str] = field(default_factory=list)
    """Local directories with what that code needs beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Configured):
    """A function's `$LATEST`, and what belongs to the function as a whole."""

    KEY = ("function_name",)

    tags: dict[str, str] | None = None
    reserved_concurrency: int | None = None
    last_version: int = 0
    """The number published last; numbers are never used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion(Configured):
    """A published version: code and configuration never change."""

    KEY = ("function_name", "version")

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionAlias(Invocable):
    KEY = ("function_name", "name")

    name: str
    alias_arn: str
    function_version: str
    description: str = ""
    additional_version_weights: dict[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlCors:
    allow_credentials: bool | None = None
    allow_headers: list[str] | None = None
    allow_methods: list[str] | None = None
    allow_origins: list[str] | None = None
    expose_headers: list[str] | None = None
    max_age: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionUrl(Record):
    """An address of its own for `$LATEST` or an alias."""

    KEY = ("function_name", "qualifier")

    function_name: str
    qualifier: str
    """`$LATEST` or an alias."""
    url_id: str
    function_arn: str
    """With the alias, if it is one's."""
    auth_type: str
    invoke_mode: str
    cors: UrlCors | None = None
    creation_time: str
    last_modified_time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Record):
    KEY = ("layer_name",)

    layer_name: str
    last_version: int = 0
    """The number published last; numbers are never used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion(Record):
    KEY = ("layer_name", "version")

    layer_name: str
    version: str
    layer_arn: str
    code_sha256: str
    code_size: int
    created_date: str
    description: str = ""
    compatible_runtimes: list[str] | None = None
    compatible_architectures: list[str] | None = None
    license_info: str | None = None
    policy: list[dict[str, Any]] = field(default_factory=list)
    policy_revision_id: str = ""
