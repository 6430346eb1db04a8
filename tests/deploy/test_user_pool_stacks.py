"""Stacks with user pools, on the running program: made, changed, refused, removed."""

from __future__ import annotations

from tests.deploy.conftest import LiveBench, failures

STACK = """
Parameters: {Minutes: {Type: Number, Default: 60}}
Resources:
  Pool:
    Type: AWS::Cognito::UserPool
    Properties:
      MfaConfiguration: "OFF"
      UserPoolTags: {team: tide}
      Schema:
        - {Name: tenant, AttributeDataType: String, Mutable: true}
  Server:
    Type: AWS::Cognito::UserPoolResourceServer
    Properties:
      UserPoolId: !Ref Pool
      Identifier: pets
      Name: Pets
      Scopes: [{ScopeName: read, ScopeDescription: reads}]
  Client:
    Type: AWS::Cognito::UserPoolClient
    DependsOn: Server
    Properties:
      UserPoolId: !Ref Pool
      GenerateSecret: true
      AccessTokenValidity: !Ref Minutes
      TokenValidityUnits: {AccessToken: minutes}
      AllowedOAuthFlows: [client_credentials]
      AllowedOAuthFlowsUserPoolClient: true
      AllowedOAuthScopes: [pets/read]
  Domain:
    Type: AWS::Cognito::UserPoolDomain
    Properties: {UserPoolId: !Ref Pool, Domain: tide-stack}
  Group:
    Type: AWS::Cognito::UserPoolGroup
    Properties: {UserPoolId: !Ref Pool, Precedence: 1}
  User:
    Type: AWS::Cognito::UserPoolUser
    Properties: {UserPoolId: !Ref Pool, Username: ann, MessageAction: SUPPRESS}
  Member:
    Type: AWS::Cognito::UserPoolUserToGroupAttachment
    Properties: {UserPoolId: !Ref Pool, Username: !Ref User, GroupName: !Ref Group}
Outputs:
  Pool: {Value: !Ref Pool}
  Arn: {Value: !GetAtt Pool.Arn}
  Name: {Value: !GetAtt Pool.ProviderName}
  Url: {Value: !GetAtt Pool.ProviderURL}
  Client: {Value: !Ref Client}
  Secret: {Value: !GetAtt Client.ClientSecret}
  Domain: {Value: !Ref Domain}
  Group: {Value: !Ref Group}
"""


def test_a_stack_with_everything_of_a_pool(live: LiveBench) -> None:
    api = live.client("cognito-idp")
    made = live.deploy(STACK, "users").outputs
    pool = made["Pool"]
    at = {"UserPoolId": pool}
    assert made["Arn"] == f"arn:aws:cognito-idp:us-east-1:000000000000:userpool/{pool}"
    assert made["Name"] == f"cognito-idp.us-east-1.amazonaws.com/{pool}"
    assert made["Url"] == f"https://{made['Name']}"
    assert (made["Domain"], made["Group"][:12]) == ("tide-stack", "users-Group-")
    client = api.describe_user_pool_client(**at, ClientId=made["Client"])["UserPoolClient"]
    assert (client["ClientSecret"], client["AccessTokenValidity"]) == (made["Secret"], 60)
    groups = api.admin_list_groups_for_user(**at, Username="ann")["Groups"]
    assert [each["GroupName"] for each in groups] == [made["Group"]]
    # A second time nothing changes; what changes is changed in place.
    assert live.deploy(STACK, "users").outputs == made
    more = STACK.replace("Mutable: true}", "Mutable: true}\n        - {Name: plan, AttributeDataType: Number}")
    more = more.replace("UserPoolTags: {team: tide}", "Policies: {PasswordPolicy: {MinimumLength: 12}}")
    assert live.deploy(more, "users", Minutes="30").outputs == made
    shown = api.describe_user_pool(**at)["UserPool"]
    assert shown["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert shown["UserPoolTags"] == {}
    assert {"custom:tenant", "custom:plan"} <= {each["Name"] for each in shown["SchemaAttributes"]}
    client = api.describe_user_pool_client(**at, ClientId=made["Client"])["UserPoolClient"]
    assert (client["AccessTokenValidity"], client["ClientSecret"]) == (30, made["Secret"])
    fewer = more.replace("        - {Name: plan, AttributeDataType: Number}", "")
    assert "custom attributes are added to a pool's schema" in failures(live, fewer, "users")[0]
    live.remove("users")
    assert pool not in [each["Id"] for each in api.list_user_pools(MaxResults=60)["UserPools"]]


def test_what_a_pool_cannot_have_is_refused(live: LiveBench) -> None:
    pool = "Resources: {{Pool: {{Type: AWS::Cognito::UserPool, Properties: {{{}}}}}}}".format
    for properties, said in (
        ("MfaConfiguration: 'ON'", "Tidegate does not support multi-factor authentication (MfaConfiguration) yet"),
        ("LambdaConfig: {PreSignUp: 'arn:aws:lambda:us-east-1:000000000000:function:f'}", "Lambda triggers"),
        ("SmsConfiguration: {SnsCallerArn: 'arn:aws:iam::000000000000:role/r'}", "no SMS messages are sent"),
    ):
        assert said in failures(live, pool(properties), "refused")[0]
