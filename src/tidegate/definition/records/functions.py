"""Lambda functions as declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Record):
    """A Lambda function's `$LATEST`. Field names are the Lambda API's in snake_case."""

    KEY = ("function_name",)

    function_name: str
    function_arn: str
    role: str
    runtime: str
    handler: str
    code_sha256: str
    code_size: int
    last_modified: str
    revision_id: str
    description: str = ""
    timeout: int = 3
    memory_size: int = 128
    environment: dict[str, str] | None = None
    architectures: list[str] = field(default_factory=lambda: ["x86_64"])
    tracing_mode: str = "PassThrough"
    tags: dict[str, str] | None = None
    policy: list[dict[str, Any]] = field(default_factory=list)
    """Statements of the resource policy, in the policy language."""
    policy_revision_id: str = ""
