"""Golden cases: one a line, fields divided by ` |`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tidegate.aws.policy import ANONYMOUS, Principal, Request

GOLDEN = Path(__file__).parent / "golden"


def cases(name: str) -> list[list[str]]:
    lines = (GOLDEN / f"{name}.cases").read_text().splitlines()
    return [[field.strip() for field in line.split(" |")] for line in lines if line and not line.startswith("#")]


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """Of any action on any resource, unless told otherwise."""
    chosen = {"Effect": effect, **elements}
    if not {"Action", "NotAction"} & elements.keys():
        chosen["Action"] = "*"
    if not {"Resource", "NotResource"} & elements.keys():
        chosen["Resource"] = "*"
    return chosen


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def request(
    action: str = "execute-api:Invoke",
    resource: str = "arn:aws:execute-api:eu-west-1:111122223333:api/prod/GET/pets",
    principal: Principal = ANONYMOUS,
    **context: Any,
) -> Request:
    return Request(action, resource, principal, context)
