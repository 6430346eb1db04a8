"""Function URLs as they are served. Made from records by `catalog`.

Source: *Creating and managing Lambda function URLs*.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.aws.policy import CompiledPolicy
from tidegate.functions.spec import Invoker


@dataclass(frozen=True, slots=True)
class CorsPlan:
    """What the service itself answers to browsers of other origins."""

    origins: tuple[str, ...]
    methods: str
    headers: str
    exposed: str
    max_age: int | None
    credentials: bool

    def allows(self, origin: str) -> bool:
        return "*" in self.origins or origin in self.origins


@dataclass(frozen=True, slots=True)
class UrlRules:
    """AWS_IAM: requests are signed, and the caller's policies and the function's have to allow them."""

    account: str
    policy: CompiledPolicy | None
    """Of the function, or of the alias; None: there is none."""


@dataclass(frozen=True, slots=True)
class UrlPlan:
    url_id: str
    region: str
    function_arn: str
    """With the alias, if it is one's."""
    invoker: Invoker | None
    """Whom the function's policy is asked about; None: `rules` decide."""
    rules: UrlRules | None
    """None: authorization NONE."""
    streams: bool
    cors: CorsPlan | None
