"""Every path of AWS's table of patch operations: the tables of the program have it, with the operations that it takes there;
each is applied to a real entity; and every other operation is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jmespath
import pytest
from botocore import xform_name

from tests.control.test_rest_apis import error_of
from tests.support.patch_cases import CASES, REFUSED, TOGETHER, Change
from tests.support.patch_paths import AWS, BESIDES
from tests.support.patch_worlds import ACCOUNT, World
from tests.support.running import Server
from tidegate.control.apigateway import (
    account,
    api_keys,
    authorizers,
    base_path_mappings,
    client_certificates,
    deployments,
    documentation,
    domain_names,
    gateway_responses,
    integration_responses,
    integrations,
    method_responses,
    methods,
    models,
    request_validators,
    resources,
    rest_apis,
    stages,
    usage,
    usage_plan_patches,
    vpc_links,
)
from tidegate.control.patch import PatchTable

TABLES: dict[str, PatchTable] = {
    "UpdateAccount": account.RULES,
    "UpdateApiKey": api_keys.RULES,
    "UpdateAuthorizer": authorizers.RULES,
    "UpdateBasePathMapping": base_path_mappings.RULES,
    "UpdateClientCertificate": client_certificates.RULES,
    "UpdateDeployment": deployments.RULES,
    "UpdateDocumentationPart": documentation.PART_RULES,
    "UpdateDocumentationVersion": documentation.VERSION_RULES,
    "UpdateDomainName": domain_names.RULES,
    "UpdateGatewayResponse": gateway_responses.RULES,
    "UpdateIntegration": integrations.RULES,
    "UpdateIntegrationResponse": integration_responses.RULES,
    "UpdateMethod": methods.METHOD_RULES,
    "UpdateMethodResponse": method_responses.RULES,
    "UpdateModel": models.RULES,
    "UpdateRequestValidator": request_validators.RULES,
    "UpdateResource": resources.RULES,
    "UpdateRestApi": rest_apis.RULES,
    "UpdateStage": stages.RULES,
    "UpdateUsage": usage.RULES,
    "UpdateUsagePlan": usage_plan_patches.RULES,
    "UpdateVpcLink": vpc_links.RULES,
}


def pairs(paths: dict[str, str]) -> set[tuple[str, str]]:
    """(path with `{}` for whatever stands for a segment, op)."""
    return {(re.sub(r"\{[^}]*\}", "{}", path), op) for path, ops in paths.items() for op in ops.split()}


@pytest.mark.parametrize("operation", TABLES)
def test_the_tables_are_those_of_aws(operation: str) -> None:
    taken = pairs({"": ""}).union(*(pairs({rule.path: " ".join(rule.ops)}) for rule in TABLES[operation].rules))
    assert taken == pairs(AWS[operation]) | pairs(BESIDES.get(operation, {}))
    assert pairs(AWS[operation]).isdisjoint(pairs(BESIDES.get(operation, {})))


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    yield server.client("apigateway", key=ACCOUNT)


SERIAL = iter(range(1_000_000))
NUMBERED = [(operation, *case) for operation, cases in CASES.items() for case in cases]


def update(client: Any, operation: str, build: Any, changes: list[Change]) -> Any:
    world = World(client, next(SERIAL))
    at = build(world)
    sent = []
    for op, path, value in changes:
        name, _, source = op.partition(":")
        change = {"op": name, "path": world.fill(path), "value": world.fill(value), "from": source or None}
        sent.append({key: given for key, given in change.items() if given is not None})
    return getattr(client, xform_name(operation))(**at, patchOperations=sent)


@pytest.mark.parametrize("case", NUMBERED, ids=lambda case: f"{case[0]}-{case[2]}-{case[3]}")
def test_a_path(case: Any, client: Any) -> None:
    operation, build, op, path, value, shown, expected = case
    assert jmespath.search(shown, update(client, operation, build, [(op, path, value)])) == expected


@pytest.mark.parametrize("case", TOGETHER, ids=lambda case: f"{case[0]}-{case[2][-1][1]}")
def test_paths_together(case: Any, client: Any) -> None:
    operation, build, changes, shown, expected = case
    assert jmespath.search(shown, update(client, operation, build, changes)) == expected


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[0]}-{case[2][0]}-{case[2][1]}")
def test_a_path_that_is_refused(case: Any, client: Any) -> None:
    operation, build, change, word = case
    code, message, status = error_of(lambda: update(client, operation, build, [change]))
    assert (code, status) == ("BadRequestException", 400)
    assert word in message


def _of_rule(operation: str, path: str) -> str:
    """The path of AWS's table that a case's path is of."""
    for known in sorted(AWS[operation], key=lambda path: path.count("{")):
        pattern = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", known)
        )
        if re.fullmatch(pattern, path):
            return known
    raise AssertionError(f"{path} of {operation} is not in AWS's table")


def test_no_path_goes_untested() -> None:
    changes = [(case[0], case[2], case[3]) for case in NUMBERED]
    changes += [(case[0], op, path) for case in TOGETHER for op, path, _ in case[2]]
    changes += [(case[0], case[2][0], case[2][1]) for case in REFUSED]
    tested = {(operation, _of_rule(operation, path), op.partition(":")[0]) for operation, op, path in changes}
    wanted = {
        (operation, path, op) for operation, paths in AWS.items() for path, ops in paths.items() for op in ops.split()
    }
    assert wanted == tested


OTHER_OPS = [
    (operation, path, op)
    for operation, paths in AWS.items()
    for path, ops in paths.items()
    for op in ("add", "remove", "replace", "move", "test", "copy")
    if op not in ops.split() and op not in BESIDES.get(operation, {}).get(path, "").split() and "{" not in path
]
NOT_TAKEN = (
    r"Invalid (patch operation specified\. Must be |copy operation with|accessLogSettings path|method setting path)"
)
WORLDS = {case[0]: case[1] for case in reversed(NUMBERED)}


@pytest.mark.parametrize("operation", dict.fromkeys(operation for operation, _, _ in OTHER_OPS))
def test_no_other_operation_is_taken(operation: str, client: Any) -> None:
    world = World(client, next(SERIAL))
    at = WORLDS[operation](world)
    for path, op in [(path, op) for name, path, op in OTHER_OPS if name == operation]:
        change = {"op": op, "path": path, "value": "true"}
        code, message, status = error_of(
            lambda change=change: getattr(client, xform_name(operation))(**at, patchOperations=[change])  # type: ignore[misc]
        )
        assert (code, status) == ("BadRequestException", 400), (path, op)
        assert re.match(NOT_TAKEN, message), (path, op, message)
