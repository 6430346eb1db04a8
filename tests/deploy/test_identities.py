"""Stacks with identities, through the running program: what the template says is what IAM has, and is gone with the stack."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.conftest import LiveBench
from tidegate.deploy.errors import DeployError

TEMPLATE = """
Parameters: {{Action: {{Type: String, Default: 's3:GetObject'}}}}
Resources:
  Limit:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: [!Ref Action], Resource: '*'}}]}}
      Roles: [!Ref Worker]
  Worker:
    Type: AWS::IAM::Role
    Properties:
      Path: /{name}/
      Description: {description}
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}]
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
        - arn:aws:iam::aws:policy/AmazonOtherFullAccess
      Policies:
        - PolicyName: {inline}
          PolicyDocument: {{Version: '2012-10-17', Statement: {{Effect: Allow, Action: 'sqs:*', Resource: '*'}}}}
      Tags: [{{Key: of, Value: {name}}}]
  Makers: {{Type: AWS::IAM::Group}}
  Maker:
    Type: AWS::IAM::User
    Properties: {{Groups: [!Ref Makers], PermissionsBoundary: !Ref Limit}}
  Shared:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: shared
      PolicyDocument: {{Version: '2012-10-17', Statement: {{Effect: Allow, Action: '*', Resource: '*'}}}}
      Groups: [!Ref Makers]
Outputs:
  Role: {{Value: !GetAtt Worker.Arn}}
  Id: {{Value: !GetAtt Worker.RoleId}}
  Name: {{Value: !Ref Worker}}
  User: {{Value: !Ref Maker}}
  Group: {{Value: !Ref Makers}}
  Policy: {{Value: !Ref Limit}}
"""


def test_identities_of_a_stack(live: LiveBench) -> None:
    iam = live.client("iam")
    result = live.deploy(TEMPLATE.format(name="ids", description="one", inline="queue"), "ids")
    outputs = result.outputs
    role = iam.get_role(RoleName=outputs["Name"])["Role"]
    assert (role["Arn"], role["RoleId"], role["Description"]) == (outputs["Role"], outputs["Id"], "one")
    assert role["Tags"] == [{"Key": "of", "Value": "ids"}]
    attached = iam.list_attached_role_policies(RoleName=outputs["Name"])["AttachedPolicies"]
    assert {policy["PolicyArn"] for policy in attached} == {
        outputs["Policy"],
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    }
    assert any("AmazonOtherFullAccess is not known here" in line for line in result.warnings)
    user = iam.get_user(UserName=outputs["User"])["User"]
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == outputs["Policy"]
    assert [one["UserName"] for one in iam.get_group(GroupName=outputs["Group"])["Users"]] == [outputs["User"]]
    assert iam.list_group_policies(GroupName=outputs["Group"])["PolicyNames"] == ["shared"]

    again = live.deploy(TEMPLATE.format(name="ids", description="two", inline="other"), "ids", Action="s3:PutObject")
    assert again.outputs == outputs
    assert iam.get_role(RoleName=outputs["Name"])["Role"]["Description"] == "two"
    assert iam.list_role_policies(RoleName=outputs["Name"])["PolicyNames"] == ["other"]
    policy = iam.get_policy(PolicyArn=outputs["Policy"])["Policy"]
    version = iam.get_policy_version(PolicyArn=outputs["Policy"], VersionId=policy["DefaultVersionId"])
    assert version["PolicyVersion"]["Document"]["Statement"][0]["Action"] == ["s3:PutObject"]

    live.remove("ids")
    for gone in (
        lambda: iam.get_role(RoleName=outputs["Name"]),
        lambda: iam.get_user(UserName=outputs["User"]),
        lambda: iam.get_group(GroupName=outputs["Group"]),
        lambda: iam.get_policy(PolicyArn=outputs["Policy"]),
    ):
        with pytest.raises(ClientError) as caught:
            gone()
        assert caught.value.response["Error"]["Code"] == "NoSuchEntity"


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("{AssumeRolePolicyDocument: {Statement: []}}", "MalformedPolicyDocument"),
        (
            "{AssumeRolePolicyDocument: {Statement: {Effect: Allow, Principal: '*', Action: 'sts:*'}}, "
            "ManagedPolicyArns: ['arn:aws:iam::000000000000:policy/missing']}",
            "NoSuchEntity",
        ),
    ],
)
def test_what_iam_refuses_fails_the_stack(live: LiveBench, properties: str, message: str) -> None:
    text = f"Resources: {{Bad: {{Type: AWS::IAM::Role, Properties: {properties}}}}}"
    with pytest.raises(DeployError, match=message):
        live.deploy(text, "bad-role")
    # Nothing of it is left behind.
    roles: list[Any] = live.client("iam").list_roles()["Roles"]
    assert not any(role["RoleName"].startswith("bad-role") for role in roles)
