"""Every type of API Gateway through the running program: created, left alone, changed in place, replaced, deleted; what Ref and
Fn::GetAtt give; each time read back with boto3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.deploy.apigateway_cases import CASES, HEAD, OUTPUTS, Case
from tests.deploy.conftest import LiveBench
from tidegate.deploy.resources.registry import PROVIDERS
from tidegate.deploy.run import DeployResult


def template(case: Case, properties: str) -> str:
    attributes = (
        [*case.attributes] if case.attributes else sorted(PROVIDERS[f"AWS::ApiGateway::{case.type}"].attributes)
    )
    outputs = "".join(f"  {name}: {{Value: !GetAtt It.{name}}}\n" for name in attributes)
    it = f"  It: {{Type: AWS::ApiGateway::{case.type}, Properties: {properties}}}\n"
    return HEAD + case.more + it + OUTPUTS + outputs


def actions(live: LiveBench) -> dict[str, str]:
    lines = [line.split() for line in live.lines]
    return {words[2]: words[0] for words in lines if len(words) > 3 and words[1].startswith("AWS::")}


def holds(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
    assert {name: actual.get(name) for name in expected} == expected


def check_outputs(case: Case, result: DeployResult) -> None:
    api = result.outputs["Api"]
    assert re.fullmatch(case.ref.replace("{Api}", api), result.outputs["Ref"])
    for name, value in result.outputs.items():
        if name in ("Api", "Ref"):
            continue
        if pattern := case.attributes.get(name):
            assert re.fullmatch(pattern, value), name
        else:
            assert value == result.outputs["Ref"], name


def absent(case: Case, live: LiveBench, outputs: Mapping[str, str]) -> bool:
    """Gone; a gateway response is the default again."""
    try:
        found = case.read(live.apigateway, outputs)
    except live.apigateway.exceptions.NotFoundException:
        return True
    return not found or found.get("defaultResponse") is True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type)
def test_a_life(live: LiveBench, case: Case) -> None:
    stack = f"types-{case.type.lower()}"
    first = live.deploy(template(case, case.first), stack)
    check_outputs(case, first)
    holds(case.made, case.read(live.apigateway, first.outputs))

    live.deploy(template(case, case.first), stack)
    assert set(actions(live).values()) == {"unchanged"}

    second = live.deploy(template(case, case.second), stack)
    assert second.outputs["Ref"] == first.outputs["Ref"]
    assert actions(live)["It"] == ("unchanged" if case.second == case.first else "updated")
    holds(case.changed, case.read(live.apigateway, second.outputs))

    last = second
    if case.third:
        last = live.deploy(template(case, case.third), stack)
        assert "replaced" in [line.split()[0] for line in live.lines if " It " in f" {line} "]
        assert last.outputs["Ref"] != first.outputs["Ref"]
        assert absent(case, live, second.outputs)
        assert not absent(case, live, last.outputs)

    live.remove(stack)
    assert actions(live)["It"] == "deleted"
    if case.type != "Account":
        assert absent(case, live, last.outputs)
    with pytest.raises(live.apigateway.exceptions.NotFoundException):
        live.apigateway.get_rest_api(restApiId=last.outputs["Api"])
