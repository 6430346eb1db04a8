"""Every type that is made in a neighbour, through the running program: created, left alone, changed in place, missed and made
again, replaced, deleted; what Ref and Fn::GetAtt give; each time read back with boto3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.conftest import LiveBench
from tests.deploy.neighbour_cases import CASES, SERVICES, Case
from tidegate.deploy.resources.registry import PROVIDERS


def template(case: Case, properties: str) -> str:
    outputs = [f"  {name}: {{Value: !GetAtt It.{name}}}\n" for name in sorted(PROVIDERS[case.type].attributes)]
    needed = ["  Needed: {Value: !Ref Needed}\n"] if case.more else []
    it = f"  It: {{Type: {case.type}, Properties: {properties}}}\n"
    return f"Resources:\n{case.more}{it}Outputs:\n  Ref: {{Value: !Ref It}}\n{''.join([*outputs, *needed])}"


def action(live: LiveBench) -> str:
    """What happened to It; a replacement is told twice, at last that the old one is deleted."""
    return next(line.split()[0] for line in live.lines if " It " in line)


def holds(case: Case, expected: Mapping[str, Any], live: LiveBench, outputs: Mapping[str, str]) -> None:
    shown = case.read(live.client(case.service), outputs)
    assert {name: shown.get(name) for name in expected} == expected


def absent(case: Case, live: LiveBench, outputs: Mapping[str, str]) -> bool:
    try:
        case.read(live.client(case.service), outputs)
    except (ClientError, KeyError, AssertionError):
        return True
    return False


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type.removeprefix("AWS::"))
def test_a_life(live: LiveBench, case: Case) -> None:
    stack = f"types-{case.type.split('::', 1)[1].replace('::', '-').lower()}"
    first = live.deploy(template(case, case.first), stack)
    assert re.fullmatch(case.ref, first.outputs["Ref"])
    for name in PROVIDERS[case.type].attributes:
        assert re.fullmatch(case.attributes.get(name, re.escape(first.outputs["Ref"])), first.outputs[name]), name
    holds(case, case.made, live, first.outputs)

    live.deploy(template(case, case.first), stack)
    assert action(live) == "unchanged"

    second = live.deploy(template(case, case.second), stack)
    assert (action(live), second.outputs["Ref"]) == ("updated", first.outputs["Ref"])
    holds(case, case.changed, live, second.outputs)

    case.drop(live.client(case.service), second.outputs)
    assert absent(case, live, second.outputs)
    last = live.deploy(template(case, case.second), stack)
    assert action(live) == "restored"
    holds(case, case.changed if case.restored is None else case.restored, live, last.outputs)

    if case.third:
        before = last
        last = live.deploy(template(case, case.third), stack)
        assert action(live) == "replaced"
        assert last.outputs["Ref"] != before.outputs["Ref"]
        assert absent(case, live, before.outputs)
        assert not absent(case, live, last.outputs)

    live.remove(stack)
    assert action(live) == "deleted"
    assert absent(case, live, last.outputs)


def test_every_type_has_a_case() -> None:
    made = {kind for kind in PROVIDERS if kind.split("::")[1] in SERVICES}
    assert {case.type for case in CASES} == made
