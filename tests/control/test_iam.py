"""IAM through boto3: identities, their policies, what AWS answers when something is wrong, and what survives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)


def policy(*actions: str, effect: str = "Allow", resource: str = "*") -> str:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def iam(server: Server) -> Any:
    """Of an account of its own."""
    return server.client("iam", key="111122223333")


def fails(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Code, status and message."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def test_a_user_from_its_making_to_its_end(iam: Any) -> None:
    made = iam.create_user(UserName="Ann", Path="/team/", Tags=[{"Key": "unit", "Value": "<R&D>"}])["User"]
    assert made["Arn"] == "arn:aws:iam::111122223333:user/team/Ann"
    assert re.fullmatch("AIDA[A-Z0-9]{17}", made["UserId"])
    # AWS: names are not distinguished by case.
    assert fails(lambda: iam.create_user(UserName="ANN"))[:2] == ("EntityAlreadyExists", 409)
    found = iam.get_user(UserName="ann")["User"]
    assert (found["UserId"], found["Tags"]) == (made["UserId"], [{"Key": "unit", "Value": "<R&D>"}])
    assert "Tags" not in next(user for user in iam.list_users()["Users"] if user["UserName"] == "Ann")
    iam.tag_user(UserName="Ann", Tags=[{"Key": "a", "Value": "1"}])
    iam.untag_user(UserName="Ann", TagKeys=["unit"])
    assert iam.list_user_tags(UserName="Ann")["Tags"] == [{"Key": "a", "Value": "1"}]
    iam.update_user(UserName="Ann", NewUserName="Anna", NewPath="/")
    assert iam.get_user(UserName="Anna")["User"]["Arn"] == "arn:aws:iam::111122223333:user/Anna"
    iam.delete_user(UserName="Anna")
    assert fails(lambda: iam.get_user(UserName="Anna")) == (
        "NoSuchEntity",
        404,
        "The user with name Anna cannot be found.",
    )


def test_what_a_user_still_has_is_in_the_way(iam: Any) -> None:
    iam.create_user(UserName="full")
    iam.create_group(GroupName="fullers")
    key = iam.create_access_key(UserName="full")["AccessKey"]["AccessKeyId"]
    iam.put_user_policy(UserName="full", PolicyName="p", PolicyDocument=policy("s3:*"))
    iam.attach_user_policy(UserName="full", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam.add_user_to_group(UserName="full", GroupName="fullers")
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("delete access keys", lambda: iam.delete_access_key(UserName="full", AccessKeyId=key)),
        ("delete policies", lambda: iam.delete_user_policy(UserName="full", PolicyName="p")),
        (
            "detach all policies",
            lambda: iam.detach_user_policy(UserName="full", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
        ),
        ("remove users from group", lambda: iam.remove_user_from_group(UserName="full", GroupName="fullers")),
    ]
    for what, remove in steps:
        expected = ("DeleteConflict", 409, f"Cannot delete entity, must {what} first.")
        assert fails(lambda: iam.delete_user(UserName="full")) == expected
        if what == "remove users from group":
            assert fails(lambda: iam.delete_group(GroupName="fullers")) == expected
        remove()
    iam.delete_user(UserName="full")
    iam.delete_group(GroupName="fullers")


def test_access_keys(server: Server, iam: Any) -> None:
    iam.create_user(UserName="keyed")
    first = iam.create_access_key(UserName="keyed")["AccessKey"]
    assert re.fullmatch("AKIA[A-Z2-7]{16}", first["AccessKeyId"])
    assert re.fullmatch("[A-Za-z0-9+/]{40}", first["SecretAccessKey"])
    second = iam.create_access_key(UserName="keyed")["AccessKey"]
    assert fails(lambda: iam.create_access_key(UserName="keyed")) == (
        "LimitExceeded",
        409,
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )
    iam.update_access_key(UserName="keyed", AccessKeyId=second["AccessKeyId"], Status="Inactive")
    listed = iam.list_access_keys(UserName="keyed")["AccessKeyMetadata"]
    assert {key["AccessKeyId"]: key["Status"] for key in listed} == {
        first["AccessKeyId"]: "Active",
        second["AccessKeyId"]: "Inactive",
    }
    assert all("SecretAccessKey" not in key for key in listed)
    unused = iam.get_access_key_last_used(AccessKeyId=first["AccessKeyId"])
    assert (unused["UserName"], unused["AccessKeyLastUsed"]["ServiceName"]) == ("keyed", "N/A")
    # Neither the secret nor anything of it is found in what is kept.
    kept = b"".join(path.read_bytes() for path in server.data.glob("tidegate.db*"))
    assert first["AccessKeyId"].encode() in kept
    assert first["SecretAccessKey"].encode() not in kept
    assert (server.data / "secret.key").stat().st_mode & 0o777 == 0o600
    missing = fails(lambda: iam.delete_access_key(UserName="keyed", AccessKeyId="AKIA" + "A" * 16))
    assert missing[::2] == ("NoSuchEntity", f"The Access Key with id AKIA{'A' * 16} cannot be found.")


def test_a_call_without_a_name_is_about_its_caller(server: Server, iam: Any) -> None:
    assert iam.get_user()["User"]["Arn"] == "arn:aws:iam::111122223333:root"
    iam.create_user(UserName="self")
    key = iam.create_access_key(UserName="self")["AccessKey"]
    own = boto3.client(
        "iam",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert own.get_user()["User"]["UserName"] == "self"
    assert own.list_access_keys()["AccessKeyMetadata"][0]["AccessKeyId"] == key["AccessKeyId"]
    own.delete_access_key(AccessKeyId=key["AccessKeyId"])
    # Without its key nobody knows whose it was.
    assert fails(lambda: iam.create_access_key())[:2] == ("UnsupportedOperationException", 501)


def test_groups(iam: Any) -> None:
    iam.create_group(GroupName="Devs", Path="/g/")
    for name in ("g1", "g2", "g3"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="devs", UserName=name)
    pages = iam.get_paginator("get_group").paginate(GroupName="Devs", PaginationConfig={"PageSize": 2})
    found = [[user["UserName"] for user in page["Users"]] for page in pages]
    assert found == [["g1", "g2"], ["g3"]]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="g2")["Groups"]] == ["Devs"]
    iam.update_group(GroupName="Devs", NewGroupName="Makers")
    iam.update_user(UserName="g2", NewUserName="g9")
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="g9")["Groups"]] == ["Makers"]
    assert [user["UserName"] for user in iam.get_group(GroupName="makers")["Users"]] == ["g1", "g3", "g9"]


def test_roles(iam: Any) -> None:
    made = iam.create_role(RoleName="Runner", AssumeRolePolicyDocument=TRUST, Description="d", MaxSessionDuration=7200)
    assert made["Role"]["Arn"] == "arn:aws:iam::111122223333:role/Runner"
    role = iam.get_role(RoleName="runner")["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert (role["Description"], role["MaxSessionDuration"]) == ("d", 7200)
    wrong = policy("sts:AssumeRole")
    assert fails(lambda: iam.update_assume_role_policy(RoleName="Runner", PolicyDocument=wrong)) == (
        "MalformedPolicyDocument",
        400,
        "Missing required field Principal",
    )
    nobody = json.loads(TRUST)
    nobody["Statement"]["Principal"] = {"AWS": "arn:aws:iam::111122223333:user/nobody"}
    assert fails(lambda: iam.create_role(RoleName="Other", AssumeRolePolicyDocument=json.dumps(nobody))) == (
        "MalformedPolicyDocument",
        400,
        'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/nobody"',
    )
    iam.update_role(RoleName="Runner", MaxSessionDuration=3600)
    assert iam.get_role(RoleName="Runner")["Role"]["MaxSessionDuration"] == 3600
    assert fails(lambda: iam.update_role(RoleName="Runner", MaxSessionDuration=99999))[0] == "ValidationError"
    # What Terraform asks before it deletes a role.
    assert iam.list_instance_profiles_for_role(RoleName="Runner")["InstanceProfiles"] == []
    iam.put_role_policy(RoleName="Runner", PolicyName="p", PolicyDocument=policy("logs:*"))
    assert fails(lambda: iam.delete_role(RoleName="Runner"))[0] == "DeleteConflict"
    iam.delete_role_policy(RoleName="Runner", PolicyName="p")
    iam.delete_role(RoleName="Runner")


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_inline_policies(iam: Any, kind: str) -> None:
    name = {f"{kind.capitalize()}Name": f"inline-{kind}"}
    more = {"AssumeRolePolicyDocument": TRUST} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**name, **more)
    document = policy("execute-api:Invoke", resource="arn:aws:execute-api:*:*:*/ü")
    put, get = getattr(iam, f"put_{kind}_policy"), getattr(iam, f"get_{kind}_policy")
    put(**name, PolicyName="One", PolicyDocument=document)
    assert get(**name, PolicyName="One")["PolicyDocument"] == json.loads(document)
    assert getattr(iam, f"list_{kind}_policies")(**name)["PolicyNames"] == ["One"]
    malformed = fails(lambda: put(**name, PolicyName="Two", PolicyDocument='{"Statement": {}}'))
    assert malformed == ("MalformedPolicyDocument", 400, "Syntax errors in policy.")
    long = policy(*(f"s3:A{number:05}" for number in range(1200)))
    assert fails(lambda: put(**name, PolicyName="Two", PolicyDocument=long))[:2] == ("LimitExceeded", 409)
    getattr(iam, f"delete_{kind}_policy")(**name, PolicyName="One")
    assert fails(lambda: get(**name, PolicyName="One")) == (
        "NoSuchEntity",
        404,
        f"The {kind} policy with name One cannot be found.",
    )


@pytest.mark.parametrize(
    ("effect", "action", "operator", "key", "accepted"),
    [
        ("Deny", "apigateway:*", "StringEquals", "apigateway:Request/EndpointType", False),
        ("Allow", "apigateway:*", "StringEquals", "apigateway:Request/EndpointType", True),
        ("Allow", "apigateway:*", "StringNotEquals", "apigateway:Request/EndpointType", False),
        ("Allow", "lambda:*", "StringEqualsIfExists", "lambda:VpcIds", False),
        ("Deny", "lambda:*", "StringEquals", "lambda:Principal", True),
        ("Deny", "*", "StringEquals", "aws:ResourceTag/team", False),
        ("Deny", "iam:*", "StringEquals", "aws:ResourceTag/team", True),
        ("Deny", "*", "StringNotEquals", "aws:PrincipalOrgID", True),
    ],
)
def test_a_condition_that_means_nothing_here_is_refused(
    iam: Any, effect: str, action: str, operator: str, key: str, accepted: bool
) -> None:
    """Where a key that no request carries would deny too little, or allow too much."""
    document = json.loads(policy(action, effect=effect))
    document["Statement"][0]["Condition"] = {operator: {key: "x"}}
    name = f"cond-{effect}-{operator}-{key}".replace(":", "").replace("/", "")

    def make() -> Any:
        return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))

    if accepted:
        iam.delete_policy(PolicyArn=make()["Policy"]["Arn"])
    else:
        code, _, message = fails(make)
        assert (code, key in message) == ("MalformedPolicyDocument", True)


def test_managed_policies_and_their_versions(iam: Any) -> None:
    made = iam.create_policy(PolicyName="Mine", Path="/p/", PolicyDocument=policy("s3:Get*"), Description="x")["Policy"]
    arn = made["Arn"]
    assert arn == "arn:aws:iam::111122223333:policy/p/Mine"
    assert fails(lambda: iam.create_policy(PolicyName="mine", PolicyDocument=policy("s3:*"))) == (
        "EntityAlreadyExists",
        409,
        "A policy called mine already exists. Duplicate names are not allowed.",
    )
    for number in range(2, 6):
        version = iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=policy(f"s3:V{number}"), SetAsDefault=number == 3
        )["PolicyVersion"]
        assert (version["VersionId"], version["IsDefaultVersion"]) == (f"v{number}", number == 3)
    assert fails(lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("s3:*")))[:2] == (
        "LimitExceeded",
        409,
    )
    assert [one["VersionId"] for one in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == [
        *("v5", "v4", "v3", "v2", "v1"),
    ]
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v3")["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Action"] == ["s3:V3"]
    assert fails(lambda: iam.delete_policy_version(PolicyArn=arn, VersionId="v3"))[::2] == (
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    )
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    for version_id in ("v2", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version_id)
    iam.create_user(UserName="attached")
    iam.attach_user_policy(UserName="attached", PolicyArn=arn)
    iam.attach_user_policy(UserName="attached", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    assert fails(lambda: iam.delete_policy(PolicyArn=arn)) == (
        "DeleteConflict",
        409,
        "Cannot delete a policy attached to entities.",
    )
    iam.detach_user_policy(UserName="attached", PolicyArn=arn)
    assert fails(lambda: iam.detach_user_policy(UserName="attached", PolicyArn=arn))[::2] == (
        "NoSuchEntity",
        f"Policy {arn} was not found.",
    )
    iam.delete_policy(PolicyArn=arn)
    assert fails(lambda: iam.get_policy(PolicyArn=arn))[0] == "NoSuchEntity"


def test_whom_a_policy_is_attached_to(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="Shared", PolicyDocument=policy("s3:*"))["Policy"]["Arn"]
    iam.create_user(UserName="s-user", PermissionsBoundary=arn)
    iam.create_group(GroupName="s-group")
    iam.create_role(RoleName="s-role", AssumeRolePolicyDocument=TRUST)
    iam.attach_group_policy(GroupName="s-group", PolicyArn=arn)
    iam.attach_role_policy(RoleName="s-role", PolicyArn=arn)
    iam.update_user(UserName="s-user", NewUserName="s-User2")
    found = iam.list_entities_for_policy(PolicyArn=arn)
    assert [user["UserName"] for user in found["PolicyUsers"]] == ["s-User2"]
    assert [group["GroupName"] for group in found["PolicyGroups"]] == ["s-group"]
    assert [role["RoleName"] for role in found["PolicyRoles"]] == ["s-role"]
    limited = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert [user["UserName"] for user in limited["PolicyUsers"]] == ["s-User2"]
    assert limited["PolicyRoles"] == []
    shown = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (shown["AttachmentCount"], shown["PermissionsBoundaryUsageCount"]) == (2, 1)
    boundary = iam.get_user(UserName="s-user2")["User"]["PermissionsBoundary"]
    assert boundary == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
    iam.delete_user_permissions_boundary(UserName="s-user2")
    assert fails(lambda: iam.delete_user_permissions_boundary(UserName="s-user2"))[0] == "NoSuchEntity"
    attached = iam.list_attached_role_policies(RoleName="s-role")["AttachedPolicies"]
    assert attached == [{"PolicyName": "Shared", "PolicyArn": arn}]


def test_policies_of_aws(iam: Any) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    policy_of_aws = iam.get_policy(PolicyArn=arn)["Policy"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=policy_of_aws["DefaultVersionId"])["PolicyVersion"]
    assert "logs:PutLogEvents" in document["Document"]["Statement"][0]["Action"]
    listed = {one["Arn"] for one in iam.list_policies(Scope="AWS")["Policies"]}
    assert {arn, "arn:aws:iam::aws:policy/AdministratorAccess"} <= listed
    iam.create_user(UserName="of-aws")
    unknown = "arn:aws:iam::aws:policy/AmazonNothingFullAccess"
    assert fails(lambda: iam.attach_user_policy(UserName="of-aws", PolicyArn=unknown)) == (
        "NoSuchEntity",
        404,
        f"Policy {unknown} does not exist or is not attachable.",
    )
    assert fails(lambda: iam.delete_policy(PolicyArn=arn))[:2] == ("AccessDenied", 403)


def test_pages(iam: Any) -> None:
    for number in range(5):
        iam.create_user(UserName=f"page-{number}", Path="/pages/")
    first = iam.list_users(PathPrefix="/pages/", MaxItems=2)
    assert first["IsTruncated"]
    assert [user["UserName"] for user in first["Users"]] == ["page-0", "page-1"]
    pages = iam.get_paginator("list_users").paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 2})
    names = [user["UserName"] for page in pages for user in page["Users"]]
    assert names == [f"page-{number}" for number in range(5)]
    assert fails(lambda: iam.list_users(Marker="!"))[0] == "ValidationError"


def test_the_account(iam: Any) -> None:
    iam.create_account_alias(AccountAlias="my-own-account")
    assert iam.list_account_aliases()["AccountAliases"] == ["my-own-account"]
    iam.delete_account_alias(AccountAlias="my-own-account")
    before = iam.get_account_summary()["SummaryMap"]
    iam.create_user(UserName="counted")
    assert iam.get_account_summary()["SummaryMap"]["Users"] == before["Users"] + 1


def test_what_is_not_there_is_refused_by_name(server: Server, iam: Any) -> None:
    code, status, message = fails(lambda: iam.create_instance_profile(InstanceProfileName="x"))
    assert (code, status) == ("UnsupportedOperationException", 501)
    assert "CreateInstanceProfile" in message
    assert fails(lambda: iam.create_user(UserName="no spaces"))[:2] == ("ValidationError", 400)
    head = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    for body, error in (
        (b"", "<Code>MissingAction</Code>"),
        (b"Action=Fly&Version=2010-05-08", "<Code>InvalidAction</Code>"),
        (b"Action=ListUsers&Version=2001-01-01", "<Code>InvalidAction</Code>"),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=many", "<Code>MalformedInput</Code>"),
        (b"&".join([b"a=b"] * 6000), "<Code>MalformedQueryString</Code>"),
    ):
        answer = server.request("POST", "/", body=body, headers=head)
        assert (answer.status, answer.header("content-type")) == (400, "text/xml")
        assert error.encode() in answer.body
        assert b"<Type>Sender</Type>" in answer.body


def test_accounts_are_apart(server: Server, iam: Any) -> None:
    iam.create_user(UserName="only-here")
    other = server.client("iam", key="444455556666")
    assert fails(lambda: other.get_user(UserName="only-here"))[0] == "NoSuchEntity"
    # IAM is global: the region of a call makes no difference.
    elsewhere = server.client("iam", key="111122223333", region="eu-west-1")
    assert elsewhere.get_user(UserName="only-here")["User"]["UserName"] == "only-here"


def test_simulations_tell_the_statement(iam: Any) -> None:
    allow = policy("execute-api:Invoke", resource="arn:aws:execute-api:*:*:*")
    deny = '{"Version": "2012-10-17",\n "Statement": [\n  {"Effect": "Deny", "Action": "*",'
    deny += ' "Resource": "arn:aws:*:*:*:*/admin",\n'
    deny += '   "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'
    given = {"PolicyInputList": [allow, deny], "ActionNames": ["execute-api:Invoke"]}
    arn = "arn:aws:execute-api:us-east-1:111122223333:api/prod/GET/"
    [result] = iam.simulate_custom_policy(**given, ResourceArns=[f"{arn}x"])["EvaluationResults"]
    assert (result["EvalDecision"], result["EvalResourceName"]) == ("allowed", f"{arn}x")
    assert [one["SourcePolicyId"] for one in result["MatchedStatements"]] == ["PolicyInputList.1"]
    assert result["MissingContextValues"] == ["aws:SecureTransport"]
    entry = {"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"}
    [result] = iam.simulate_custom_policy(**given, ResourceArns=[f"{arn}admin"], ContextEntries=[entry])[
        "EvaluationResults"
    ]
    assert result["EvalDecision"] == "explicitDeny"
    [statement] = result["MatchedStatements"]
    assert statement["SourcePolicyId"] == "PolicyInputList.2"
    assert statement["StartPosition"] == {"Line": 3, "Column": 3}
    assert statement["EndPosition"]["Line"] == 4
    limited = iam.simulate_custom_policy(**given, PermissionsBoundaryPolicyInputList=[policy("s3:*")])
    [result] = limited["EvaluationResults"]
    assert result["EvalDecision"] == "implicitDeny"
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[deny])["ContextKeyNames"]
    assert keys == ["aws:SecureTransport"]


def test_simulations_of_a_principal_know_its_groups(iam: Any) -> None:
    iam.create_user(UserName="sim")
    iam.create_group(GroupName="simmers")
    iam.add_user_to_group(UserName="sim", GroupName="simmers")
    iam.put_group_policy(GroupName="simmers", PolicyName="g", PolicyDocument=policy("lambda:*"))
    source = iam.get_user(UserName="sim")["User"]["Arn"]
    results = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=["lambda:Invoke", "s3:Get"])
    by_action = {result["EvalActionName"]: result for result in results["EvaluationResults"]}
    assert {name: result["EvalDecision"] for name, result in by_action.items()} == {
        "lambda:Invoke": "allowed",
        "s3:Get": "implicitDeny",
    }
    assert by_action["lambda:Invoke"]["MatchedStatements"][0]["SourcePolicyType"] == "group"
