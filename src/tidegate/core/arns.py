"""Amazon Resource Names: building, reading, and the matching that conditions and permissions use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tidegate.core.globs import glob


@dataclass(frozen=True, slots=True)
class Arn:
    """`arn:partition:service:region:account:resource`; `resource` may hold further colons."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Raises ValueError when the text is not an ARN."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[2]:
            raise ValueError(f"not an ARN: {text}")
        return cls(*parts[1:])

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def rest_api_arn(region: str, api_id: str) -> str:
    """The management ARN of a REST API (its account field is empty)."""
    return f"arn:aws:apigateway:{region}::/restapis/{api_id}"


def execute_api_arn(region: str, account: str, api_id: str, rest: str) -> str:
    return f"arn:aws:execute-api:{region}:{account}:{api_id}/{rest}"


def function_arn(region: str, account: str, name: str, qualifier: str | None = None) -> str:
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


_glob = lru_cache(maxsize=4096)(glob)


def string_like(pattern: str, text: str) -> bool:
    """IAM's StringLike: `*` any run of characters, `?` any one."""
    return _glob(pattern)(text)


def arn_like(pattern: str, arn: str) -> bool:
    """IAM's ArnLike: the six parts are compared one by one, each with `*` and `?`."""
    wanted, given = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(given) and all(map(string_like, wanted, given))
