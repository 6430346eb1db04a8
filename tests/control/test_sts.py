"""STS through boto3: who calls, sessions of roles by their trust policies, and how long they are good for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.control.test_iam import fails
from tests.support.callers import Keys, allow, client, document, make_user, trust
from tests.support.running import Server
from tidegate.aws.identifiers import access_key_id, account_of

ACCOUNT = "222233334444"


@pytest.fixture(scope="module")
def iam(server: Server) -> Any:
    return server.client("iam", key=ACCOUNT)


@pytest.fixture(scope="module")
def user(iam: Any) -> Keys:
    return make_user(iam, "caller", allow("sts:*", "iam:*"))


def role(iam: Any, name: str, policy: str, **options: Any) -> str:
    return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy, **options)["Role"]["Arn"])


def assume(server: Server, keys: Keys, arn: str, **options: Any) -> Any:
    return client(server, "sts", keys).assume_role(RoleArn=arn, RoleSessionName="tester", **options)


def test_who_calls(server: Server, iam: Any, user: Keys) -> None:
    root = server.client("sts", key=ACCOUNT).get_caller_identity()
    assert (root["Arn"], root["UserId"]) == (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    own = client(server, "sts", user).get_caller_identity()
    assert own["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/caller"
    assert own["UserId"] == iam.get_user(UserName="caller")["User"]["UserId"]
    assert own["Account"] == ACCOUNT
    assert client(server, "sts", user).get_access_key_info(AccessKeyId=user["AccessKeyId"])["Account"] == ACCOUNT


def test_access_key_ids_tell_the_account() -> None:
    assert account_of(access_key_id("000000000001")) == "000000000001"
    assert account_of(access_key_id("999999999999")) == "999999999999"
    # Of a key that AWS gave out.
    assert account_of("ASIAQNZGKIQY56JQ7WML") == "029608264753"
    assert account_of("test") is account_of("AKIA" + "0" * 16) is None


def test_the_trust_policy_names_the_caller(server: Server, iam: Any, user: Keys) -> None:
    arn = role(iam, "Named", trust(f"arn:aws:iam::{ACCOUNT}:user/caller"), MaxSessionDuration=7200)
    given = assume(server, user, arn)
    assert given["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Named/tester"
    identity = client(server, "sts", given["Credentials"]).get_caller_identity()
    assert identity["Arn"] == given["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == given["AssumedRoleUser"]["AssumedRoleId"]
    other = make_user(iam, "stranger", allow("sts:AssumeRole"))
    code, status, message = fails(lambda: assume(server, other, arn))
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith(
        f"User: arn:aws:iam::{ACCOUNT}:user/stranger is not authorized to perform: sts:AssumeRole on resource: {arn}"
    )
    # Nobody learns which roles there are.
    nowhere = fails(lambda: assume(server, other, f"arn:aws:iam::{ACCOUNT}:role/Nowhere"))
    assert nowhere[:2] == ("AccessDenied", 403)
    assert fails(lambda: assume(server, user, arn, DurationSeconds=7201)) == (
        "ValidationError",
        400,
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )


def test_a_trusted_account_leaves_it_to_its_policies(server: Server, iam: Any, user: Keys) -> None:
    arn = role(iam, "Delegated", trust(ACCOUNT))
    assume(server, user, arn)
    idle = make_user(iam, "idle", allow("s3:*"))
    assert fails(lambda: assume(server, idle, arn))[0] == "AccessDenied"
    # Another account: both sides have to allow it.
    elsewhere = server.client("iam", key="555566667777")
    guest = make_user(elsewhere, "guest", allow("sts:AssumeRole", resource=arn))
    assert fails(lambda: assume(server, guest, arn))[0] == "AccessDenied"
    iam.update_assume_role_policy(RoleName="Delegated", PolicyDocument=trust("arn:aws:iam::555566667777:root"))
    assert assume(server, guest, arn)["AssumedRoleUser"]["Arn"].endswith("assumed-role/Delegated/tester")


def test_the_external_id_has_to_be_known(server: Server, iam: Any, user: Keys) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "secret-7"}}
    arn = role(iam, "External", trust(ACCOUNT, Condition=condition))
    assert fails(lambda: assume(server, user, arn))[0] == "AccessDenied"
    assert fails(lambda: assume(server, user, arn, ExternalId="secret-8"))[0] == "AccessDenied"
    assume(server, user, arn, ExternalId="secret-7")


def test_tags_of_sessions(server: Server, iam: Any, user: Keys) -> None:
    condition = {"StringEquals": {"aws:RequestTag/team": "a"}}
    arn = role(iam, "Tagged", trust(ACCOUNT, Condition=condition))
    assert fails(lambda: assume(server, user, arn, Tags=[{"Key": "team", "Value": "b"}]))[0] == "AccessDenied"
    given = assume(server, user, arn, Tags=[{"Key": "team", "Value": "a"}], TransitiveTagKeys=["team"])
    assert given["PackedPolicySize"] > 0
    chained = role(iam, "Chained", trust(ACCOUNT, Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}))
    iam.put_role_policy(RoleName="Tagged", PolicyName="p", PolicyDocument=document(allow("sts:*", resource=chained)))
    again = assume(server, given["Credentials"], chained)
    assert again["AssumedRoleUser"]["Arn"].endswith("assumed-role/Chained/tester")
    # AWS: roles by way of roles last an hour at most.
    iam.update_role(RoleName="Chained", MaxSessionDuration=7200)
    assert fails(lambda: assume(server, given["Credentials"], chained, DurationSeconds=7200))[0] == "ValidationError"


def test_session_policies_are_checked(server: Server, iam: Any, user: Keys) -> None:
    arn = role(iam, "Limited", trust(ACCOUNT))
    assert fails(lambda: assume(server, user, arn, Policy='{"Statement": 1}'))[:2] == ("MalformedPolicyDocument", 400)
    unknown = [{"arn": f"arn:aws:iam::{ACCOUNT}:policy/Unknown"}]
    assert fails(lambda: assume(server, user, arn, PolicyArns=unknown))[0] == "ValidationError"
    given = assume(server, user, arn, Policy=document(allow("s3:Get*")))
    assert 0 < given["PackedPolicySize"] <= 100


def test_what_get_session_token_gives(server: Server, user: Keys) -> None:
    given = client(server, "sts", user).get_session_token(DurationSeconds=900)["Credentials"]
    assert client(server, "sts", given).get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/caller"
    assert fails(lambda: client(server, "sts", given).get_session_token()) == (
        "AccessDenied",
        403,
        "Cannot call GetSessionToken with session credentials",
    )
    mfa = {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/x", "TokenCode": "123456"}
    assert fails(lambda: client(server, "sts", user).get_session_token(**mfa))[0] == "InvalidParameterValue"


def test_sessions_survive_and_expire(tmp_path_factory: pytest.TempPathFactory) -> None:
    data = tmp_path_factory.mktemp("sessions")
    server = Server(data).start()
    try:
        iam = server.client("iam")
        keys = make_user(iam, "u", allow("sts:*"))
        arn = role(iam, "R", trust("000000000000"))
        short = assume(server, keys, arn, DurationSeconds=900)["Credentials"]
        long = assume(server, keys, arn, DurationSeconds=3600)["Credentials"]
    finally:
        server.stop()
    server = Server(data).start()
    try:
        assert client(server, "sts", short).get_caller_identity()["Arn"].endswith("assumed-role/R/tester")
        server.request("POST", "/_tidegate/clock", body=json.dumps({"advance": 901}).encode())
        expired = fails(lambda: client(server, "sts", short).get_caller_identity())
        assert expired == ("ExpiredToken", 403, "The security token included in the request is expired")
        client(server, "sts", long).get_caller_identity()
        # A role of the same name is another role.
        server.client("iam").delete_role(RoleName="R")
        role(server.client("iam"), "R", trust("000000000000"))
        assert client(server, "sts", long).get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
    finally:
        server.stop()


def test_what_is_not_there_is_refused_by_name(server: Server, user: Keys) -> None:
    federated = fails(lambda: client(server, "sts", user).get_federation_token(Name="someone"))
    assert federated[:2] == ("UnsupportedOperationException", 501)
