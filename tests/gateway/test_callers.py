"""AWS_IAM methods and the identities that the gateway keeps: users, groups, roles, boundaries, sessions, resource policies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.callers import Keys, allow, client, deny, document, invoke, make_user, trust
from tests.support.running import ApiBuilder, Server

ACCOUNT = "000000000000"
INVOKE = "execute-api:Invoke"
CALLER = "$context.identity.userArn $context.identity.caller $context.identity.accessKey"


@pytest.fixture(scope="module")
def iam(server: Server) -> Any:
    return server.client("iam")


def api_of(server: Server, **options: Any) -> str:
    built = ApiBuilder(server, **options)
    for path in ("/open", "/shut"):
        built.mock(path, "GET", body=CALLER)
        at = {"restApiId": built.id, "resourceId": built.resources[path], "httpMethod": "GET"}
        patch = [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]
        built.client.update_method(**at, patchOperations=patch)
    return built.deploy()


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    return api_of(server)


def methods(api: str, path: str = "*") -> str:
    return f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api}/prod/GET/{path}"


def status(server: Server, api: str, keys: Keys, path: str = "open") -> int:
    return invoke(server, api, f"/prod/{path}", keys).status


def test_a_user_may_what_its_policy_says(server: Server, iam: Any, api: str) -> None:
    keys = make_user(iam, "inv", allow(INVOKE, resource=methods(api, "open")))
    answer = invoke(server, api, "/prod/open", keys)
    user = iam.get_user(UserName="inv")["User"]
    assert answer.body.decode() == f"{user['Arn']} {user['UserId']} {keys['AccessKeyId']}"
    denied = invoke(server, api, "/prod/shut", keys)
    assert (denied.status, denied.header("x-amzn-ErrorType")) == (403, "AccessDeniedException")
    assert denied.json["Message"] == (
        f"User: {user['Arn']} is not authorized to perform: execute-api:Invoke on resource: "
        f"arn:aws:execute-api:us-east-1:********0000:{api}/prod/GET/shut because no identity-based policy allows the "
        "execute-api:Invoke action"
    )
    # A change is good for the next request.
    iam.put_user_policy(UserName="inv", PolicyName="more", PolicyDocument=document(allow(INVOKE)))
    assert status(server, api, keys, "shut") == 200
    iam.put_user_policy(UserName="inv", PolicyName="more", PolicyDocument=document(deny(INVOKE)))
    refused = invoke(server, api, "/prod/open", keys)
    assert refused.json["Message"].endswith(" with an explicit deny in an identity-based policy")
    used = iam.get_access_key_last_used(AccessKeyId=keys["AccessKeyId"])["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("execute-api", "us-east-1")


def test_groups_and_managed_policies_count(server: Server, iam: Any, api: str) -> None:
    keys = make_user(iam, "member")
    assert status(server, api, keys) == 403
    arn = iam.create_policy(PolicyName="Invoking", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    iam.create_group(GroupName="callers")
    iam.attach_group_policy(GroupName="callers", PolicyArn=arn)
    iam.add_user_to_group(GroupName="callers", UserName="member")
    assert status(server, api, keys) == 403
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow(INVOKE)), SetAsDefault=True)
    assert status(server, api, keys) == 200
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    assert status(server, api, keys) == 403
    iam.attach_user_policy(UserName="member", PolicyArn="arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess")
    assert status(server, api, keys) == 200
    iam.put_group_policy(GroupName="callers", PolicyName="no", PolicyDocument=document(deny("*")))
    assert status(server, api, keys) == 403
    iam.remove_user_from_group(GroupName="callers", UserName="member")
    assert status(server, api, keys) == 200


def test_keys_end_at_once(server: Server, iam: Any, api: str) -> None:
    keys = make_user(iam, "ending", allow(INVOKE))
    assert status(server, api, keys) == 200
    one = {"UserName": "ending", "AccessKeyId": keys["AccessKeyId"]}
    iam.update_access_key(**one, Status="Inactive")
    answer = invoke(server, api, "/prod/open", keys)
    assert (answer.status, answer.header("x-amzn-ErrorType")) == (403, "UnrecognizedClientException")
    assert answer.json == {"message": "The security token included in the request is invalid."}
    iam.update_access_key(**one, Status="Active")
    assert status(server, api, keys) == 200
    # Renaming the user leaves the key as it is.
    iam.update_user(UserName="ending", NewUserName="ended")
    assert invoke(server, api, "/prod/open", keys).body.startswith(b"arn:aws:iam::000000000000:user/ended ")
    iam.delete_access_key(UserName="ended", AccessKeyId=keys["AccessKeyId"])
    assert status(server, api, keys) == 403


def test_a_boundary_limits(server: Server, iam: Any, api: str) -> None:
    limit = iam.create_policy(
        PolicyName="Limit", PolicyDocument=document(allow(INVOKE, resource=methods(api, "open")))
    )["Policy"]["Arn"]
    keys = make_user(iam, "bound", allow(INVOKE), PermissionsBoundary=limit)
    assert status(server, api, keys, "open") == 200
    answer = invoke(server, api, "/prod/shut", keys)
    assert answer.json["Message"].endswith(" because no permissions boundary allows the execute-api:Invoke action")
    iam.delete_user_permissions_boundary(UserName="bound")
    assert status(server, api, keys, "shut") == 200
    # A boundary alone allows nothing.
    alone = make_user(iam, "bound-only", PermissionsBoundary=limit)
    assert status(server, api, alone) == 403


@pytest.fixture(scope="module")
def assuming(iam: Any) -> Keys:
    return make_user(iam, "assuming", allow("sts:AssumeRole"))


def session(server: Server, assuming: Keys, role: str, **options: Any) -> Keys:
    sts = client(server, "sts", assuming)
    keys: Keys = sts.assume_role(RoleArn=role, RoleSessionName="s1", **options)["Credentials"]
    return keys


def test_sessions_of_roles(server: Server, iam: Any, api: str, assuming: Keys) -> None:
    made = iam.create_role(RoleName="Invoker", Path="/apis/", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]
    iam.put_role_policy(RoleName="Invoker", PolicyName="p", PolicyDocument=document(allow(INVOKE)))
    keys = session(server, assuming, made["Arn"])
    answer = invoke(server, api, "/prod/open", keys)
    assert answer.body.decode() == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Invoker/s1 {made['RoleId']}:s1 {keys['AccessKeyId']}"
    )
    only_open = document(allow(INVOKE, resource=methods(api, "open")))
    limited = session(server, assuming, made["Arn"], Policy=only_open)
    assert status(server, api, limited, "open") == 200
    refused = invoke(server, api, "/prod/shut", limited)
    assert refused.json["Message"].endswith(" because no session policy allows the execute-api:Invoke action")
    by_arn = session(
        server, assuming, made["Arn"], PolicyArns=[{"arn": "arn:aws:iam::aws:policy/AmazonAPIGatewayAdministrator"}]
    )
    assert status(server, api, by_arn) == 403
    # A session policy gives nothing that the role does not have.
    iam.put_role_policy(RoleName="Invoker", PolicyName="p", PolicyDocument=document(allow("s3:*")))
    assert status(server, api, limited, "open") == status(server, api, keys) == 403


def test_a_session_without_its_token_is_nobodys(server: Server, iam: Any, api: str, assuming: Keys) -> None:
    made = iam.create_role(RoleName="Tokens", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]
    iam.put_role_policy(RoleName="Tokens", PolicyName="p", PolicyDocument=document(allow(INVOKE)))
    first, second = (session(server, assuming, made["Arn"]) for _ in range(2))
    assert status(server, api, first) == 200
    token = first["SessionToken"]
    middle = len(token) // 2
    altered = f"{token[:middle]}{'A' if token[middle] != 'A' else 'B'}{token[middle + 1 :]}"
    for given in (
        {**first, "SessionToken": second["SessionToken"]},
        {**first, "SessionToken": altered},
        {**first, "SessionToken": "AAAA"},
        {"AccessKeyId": first["AccessKeyId"], "SecretAccessKey": first["SecretAccessKey"]},
    ):
        answer = invoke(server, api, "/prod/open", given)
        assert (answer.status, answer.header("x-amzn-ErrorType")) == (403, "UnrecognizedClientException")
    # Sessions end with their role.
    iam.delete_role_policy(RoleName="Tokens", PolicyName="p")
    iam.delete_role(RoleName="Tokens")
    assert status(server, api, first) == 403


def test_conditions_know_the_caller(server: Server, iam: Any, api: str, assuming: Keys) -> None:
    by_tag = {"StringEquals": {"aws:PrincipalTag/unit": "blue"}}
    keys = make_user(iam, "tagged", allow(INVOKE, Condition=by_tag))
    assert status(server, api, keys) == 403
    iam.tag_user(UserName="tagged", Tags=[{"Key": "unit", "Value": "blue"}])
    assert status(server, api, keys) == 200
    by_name = {"StringLike": {"aws:username": "n-*"}, "StringEquals": {"aws:PrincipalType": "User"}}
    assert status(server, api, make_user(iam, "n-1", allow(INVOKE, Condition=by_name))) == 200
    assert status(server, api, make_user(iam, "m-1", allow(INVOKE, Condition=by_name))) == 403
    made = iam.create_role(RoleName="Fresh", AssumeRolePolicyDocument=trust(ACCOUNT))["Role"]
    late = {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}}
    iam.put_role_policy(RoleName="Fresh", PolicyName="p", PolicyDocument=document(allow(INVOKE, Condition=late)))
    assert status(server, api, session(server, assuming, made["Arn"])) == 200


IDENTITIES = {"allow": [allow(INVOKE)], "silent": [allow("s3:*")], "deny": [allow(INVOKE), deny(INVOKE)]}


@pytest.fixture(scope="module")
def judged(server: Server) -> dict[str, dict[str, Keys]]:
    """Users of the API's account and of another, by what their own policies say."""
    found = {}
    for account in (ACCOUNT, "121212121212"):
        iam = server.client("iam", key=account)
        found[account] = {name: make_user(iam, f"judged-{name}", *given) for name, given in IDENTITIES.items()}
    return found


@pytest.mark.parametrize("resource", ["allow", "silent", "deny", "none"])
def test_identity_and_resource_policies_together(
    server: Server, judged: dict[str, dict[str, Keys]], resource: str
) -> None:
    """Tables A and B of *How API Gateway resource policies affect authorization workflow*."""
    anybody = {"Principal": {"AWS": [ACCOUNT, "121212121212"]}, "Action": INVOKE, "Resource": "execute-api:/*"}
    effects = {
        "allow": [{"Effect": "Allow", **anybody}],
        "silent": [{**anybody, "Effect": "Allow", "Resource": "execute-api:/other/*"}],
        "deny": [{"Effect": "Allow", **anybody}, {"Effect": "Deny", **anybody, "Principal": "*"}],
    }
    options = {} if resource == "none" else {"policy": document(*effects[resource])}
    api = api_of(server, **options)
    for account, users in judged.items():
        for identity, keys in users.items():
            allowed = identity == "allow" and (
                resource == "allow" or (account == ACCOUNT and resource in ("silent", "none"))
            )
            # AWS: an account that is named leaves it to its users' own policies; so silence stays silence.
            assert status(server, api, keys) == (200 if allowed else 403), (account, identity)


def test_a_resource_policy_may_name_a_user(server: Server, iam: Any) -> None:
    keys = make_user(iam, "named")
    user = iam.get_user(UserName="named")["User"]["Arn"]
    one = {"Effect": "Allow", "Principal": {"AWS": user}, "Action": INVOKE, "Resource": "execute-api:/prod/GET/open"}
    api = api_of(server, policy=document(one))
    assert status(server, api, keys, "open") == 200
    assert status(server, api, keys, "shut") == 403
