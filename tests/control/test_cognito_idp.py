"""User pools as boto3 drives them: pools and clients, users and groups, and what is said to whom when something is wrong."""

from __future__ import annotations

import re
from typing import Any

import jwt
import pytest

from tests.support.pools import PASSWORD, Pool, later, refused, secret_hash
from tests.support.running import Server

WRONG = "Incorrect username or password."


@pytest.fixture(scope="module")
def pool(server: Server) -> Pool:
    made = Pool(server, AutoVerifiedAttributes=["email"])
    made.user("ann", email="ann@example.com", email_verified="true", name="Ann")
    return made


@pytest.fixture(scope="module")
def client(pool: Pool) -> str:
    return pool.client()


def test_from_signing_up_to_a_token(pool: Pool, client: str) -> None:
    api, bob = pool.api, {"ClientId": client, "Username": "bob"}
    email = [{"Name": "email", "Value": "bob@example.com"}]
    made = api.sign_up(**bob, Password=PASSWORD, UserAttributes=email)
    assert made["UserConfirmed"] is False
    assert made["CodeDeliveryDetails"] == {
        "Destination": "b***@e***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    first = pool.code()
    assert re.fullmatch(r"\d{6}", first)
    with refused("UsernameExistsException", "User already exists"):
        api.sign_up(**bob, Password=PASSWORD)
    with refused("UserNotConfirmedException", "User is not confirmed."):
        pool.sign_in(client, "bob")
    api.resend_confirmation_code(**bob)
    code = pool.code()
    if code != first:
        with refused("CodeMismatchException", "Invalid verification code provided, please try again."):
            api.confirm_sign_up(**bob, ConfirmationCode=first)
    with (
        later(pool.server, 86_401),
        refused("ExpiredCodeException", "Invalid code provided, please request a code again."),
    ):
        api.confirm_sign_up(**bob, ConfirmationCode=code)
    api.confirm_sign_up(**bob, ConfirmationCode=code)
    with refused("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"):
        api.confirm_sign_up(**bob, ConfirmationCode=code)
    result = pool.sign_in(client, "bob")
    assert (result["TokenType"], result["ExpiresIn"]) == ("Bearer", 3600)
    identity, access = pool.claims(result["IdToken"]), pool.claims(result["AccessToken"])
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    for claims in (identity, access):
        assert (claims["iss"], claims["sub"]) == (issuer, made["UserSub"])
        assert claims["exp"] - claims["iat"] == 3600
        assert claims["origin_jti"] == identity["origin_jti"] != claims["jti"]
    assert {name: identity[name] for name in ("aud", "token_use", "cognito:username", "email", "email_verified")} == {
        "aud": client,
        "token_use": "id",
        "cognito:username": "bob",
        "email": "bob@example.com",
        "email_verified": True,
    }
    assert {name: access[name] for name in ("client_id", "token_use", "username", "scope")} == {
        "client_id": client,
        "token_use": "access",
        "username": "bob",
        "scope": "aws.cognito.signin.user.admin",
    }
    header = jwt.get_unverified_header(result["IdToken"])
    assert header.keys() == {"kid", "alg"}
    shown = api.get_user(AccessToken=result["AccessToken"])
    assert shown["Username"] == "bob"
    assert {"Name": "email_verified", "Value": "true"} in shown["UserAttributes"]
    with refused("NotAuthorizedException", "Invalid Access Token"):
        api.get_user(AccessToken=result["IdToken"])
    with later(pool.server, 3601), refused("NotAuthorizedException", "Access Token has expired"):
        api.get_user(AccessToken=result["AccessToken"])


def test_what_a_wrong_sign_in_is_told(pool: Pool, client: str) -> None:
    api = pool.api
    with refused("NotAuthorizedException", WRONG):
        pool.sign_in(client, "ann", "Wr0ng-one!")
    with refused("UserNotFoundException", "User does not exist."):
        pool.sign_in(client, "nobody")
    with refused("ResourceNotFoundException", "User pool client 1example does not exist."):
        pool.sign_in("1example", "ann")
    with refused("InvalidParameterException", "Missing required parameter PASSWORD"):
        api.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann"})
    srp_only = pool.client(ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH"])
    with refused("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"):
        pool.sign_in(srp_only, "ann")
    with refused("InvalidParameterException", "Initiate Auth method not supported."):
        api.initiate_auth(ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={})
    for flow in ("CUSTOM_AUTH", "USER_AUTH"):
        with refused("InvalidParameterException"):
            api.initiate_auth(ClientId=client, AuthFlow=flow, AuthParameters={"USERNAME": "ann"})
    admin = {"UserPoolId": pool.id, "Username": "ann"}
    api.admin_disable_user(**admin)
    with refused("NotAuthorizedException", "User is disabled."):
        pool.sign_in(client, "ann")
    assert api.admin_get_user(**admin)["Enabled"] is False
    api.admin_enable_user(**admin)
    by_admin = api.admin_initiate_auth(
        UserPoolId=pool.id,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )
    assert pool.claims(by_admin["AuthenticationResult"]["IdToken"])["name"] == "Ann"


def test_nobody_learns_who_exists(pool: Pool) -> None:
    client = pool.client(PreventUserExistenceErrors="ENABLED")
    nobody = {"ClientId": client, "Username": "nobody"}
    with refused("NotAuthorizedException", WRONG):
        pool.sign_in(client, "nobody")
    shown = pool.api.forgot_password(**nobody)["CodeDeliveryDetails"]
    assert shown["DeliveryMedium"] == "EMAIL"
    with refused("CodeMismatchException"):
        pool.api.confirm_forgot_password(**nobody, ConfirmationCode="123456", Password=PASSWORD)
    with refused("CodeMismatchException"):
        pool.api.confirm_sign_up(**nobody, ConfirmationCode="123456")
    assert "CodeDeliveryDetails" in pool.api.resend_confirmation_code(**nobody)
    parameters = {"USERNAME": "nobody", "SRP_A": "abcdef"}
    asked = [
        pool.api.initiate_auth(ClientId=client, AuthFlow="USER_SRP_AUTH", AuthParameters=parameters) for _ in range(2)
    ]
    salts = {answer["ChallengeParameters"]["SALT"] for answer in asked}
    assert len(salts) == 1


def test_guessing_is_slowed_down(pool: Pool, client: str) -> None:
    pool.user("guessed", email="guessed@example.com", email_verified="true")
    for _ in range(5):
        with refused("NotAuthorizedException", WRONG):
            pool.sign_in(client, "guessed", "x")
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        pool.sign_in(client, "guessed")
    with later(pool.server, 2):
        assert "AccessToken" in pool.sign_in(client, "guessed")
    guessed = {"ClientId": client, "Username": "guessed"}
    pool.api.forgot_password(**guessed)
    wrong = "000000" if pool.code() != "000000" else "000001"
    for _ in range(5):
        with refused("CodeMismatchException"):
            pool.api.confirm_forgot_password(**guessed, ConfirmationCode=wrong, Password=PASSWORD)
    with refused("LimitExceededException", "Attempt limit exceeded, please try after some time."):
        pool.api.confirm_forgot_password(**guessed, ConfirmationCode=pool.code(), Password=PASSWORD)


def test_a_temporary_password_has_to_be_replaced(pool: Pool, client: str) -> None:
    api, new = pool.api, "N3w-password"
    invited = [{"Name": "email", "Value": "new@example.com"}]
    made = api.admin_create_user(UserPoolId=pool.id, Username="new", UserAttributes=invited)["User"]
    assert made["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    message = pool.messages()[-1]
    temporary = message["code"]
    assert message["body"] == f"Your username is new and temporary password is {temporary}."
    with refused("UsernameExistsException", "User account already exists"):
        api.admin_create_user(UserPoolId=pool.id, Username="new")
    with later(pool.server, 8 * 86_400), refused("NotAuthorizedException", "Temporary password has expired…"):
        pool.sign_in(client, "new", temporary)
    asked = pool.sign_in(client, "new", temporary)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert asked["ChallengeParameters"]["USER_ID_FOR_SRP"] == "new"
    answer = {"ClientId": client, "ChallengeName": "NEW_PASSWORD_REQUIRED"}
    responses = {"USERNAME": "new", "NEW_PASSWORD": new, "userAttributes.name": "New"}
    with refused("InvalidPasswordException"):
        api.respond_to_auth_challenge(
            **answer, Session=asked["Session"], ChallengeResponses={**responses, "NEW_PASSWORD": "short"}
        )
    with refused("NotAuthorizedException", "Invalid session for the user."):
        api.respond_to_auth_challenge(
            **answer, Session=asked["Session"], ChallengeResponses={**responses, "USERNAME": "ann"}
        )
    done = api.respond_to_auth_challenge(**answer, Session=asked["Session"], ChallengeResponses=responses)
    assert pool.claims(done["AuthenticationResult"]["IdToken"])["name"] == "New"
    with refused("NotAuthorizedException", "Invalid session for the user, session can only be used once."):
        api.respond_to_auth_challenge(**answer, Session=asked["Session"], ChallengeResponses=responses)
    assert "AccessToken" in pool.sign_in(client, "new", new)


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Sh0r-t", "Password not long enough"),
        ("passw0rd!", "Password must have uppercase characters"),
        ("PASSW0RD!", "Password must have lowercase characters"),
        ("Password!", "Password must have numeric characters"),
        ("Passw0rdd", "Password must have symbol characters"),
    ],
)
def test_the_password_policy(pool: Pool, client: str, password: str, broken: str) -> None:
    with refused("InvalidPasswordException", f"Password did not conform with policy: {broken}"):
        pool.api.sign_up(ClientId=client, Username="weak", Password=password)


def test_a_forgotten_password(pool: Pool, client: str) -> None:
    pool.user("forgetful", email="f@example.com", email_verified="true")
    before = pool.sign_in(client, "forgetful")
    who = {"ClientId": client, "Username": "forgetful"}
    pool.api.forgot_password(**who)
    code, new = pool.code(), "An0ther-one"
    with later(pool.server, 3601), refused("ExpiredCodeException"):
        pool.api.confirm_forgot_password(**who, ConfirmationCode=code, Password=new)
    pool.api.confirm_forgot_password(**who, ConfirmationCode=code, Password=new)
    with refused("ExpiredCodeException"):
        pool.api.confirm_forgot_password(**who, ConfirmationCode=code, Password=new)
    with refused("NotAuthorizedException", WRONG):
        pool.sign_in(client, "forgetful")
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        pool.refresh(client, before["RefreshToken"])
    token = pool.sign_in(client, "forgetful", new)["AccessToken"]
    with refused("NotAuthorizedException", WRONG):
        pool.api.change_password(AccessToken=token, PreviousPassword="N0t-this!", ProposedPassword=PASSWORD)
    pool.api.change_password(AccessToken=token, PreviousPassword=new, ProposedPassword=PASSWORD)
    assert "IdToken" in pool.sign_in(client, "forgetful")
    pool.user("unreachable")
    with refused("InvalidParameterException", "Cannot reset password for the user as there is no registered/verified…"):
        pool.api.forgot_password(ClientId=client, Username="unreachable")


def test_tokens_are_refreshed_revoked_and_signed_out(pool: Pool, client: str) -> None:
    api = pool.api
    first, second = pool.sign_in(client, "ann"), pool.sign_in(client, "ann")
    fresh = pool.refresh(client, first["RefreshToken"])
    assert "RefreshToken" not in fresh
    old, new = pool.claims(first["AccessToken"]), pool.claims(fresh["AccessToken"])
    assert (old["origin_jti"], old["auth_time"]) == (new["origin_jti"], new["auth_time"])
    assert old["jti"] != new["jti"]
    newer = api.get_tokens_from_refresh_token(ClientId=client, RefreshToken=first["RefreshToken"])
    assert pool.claims(newer["AuthenticationResult"]["AccessToken"])["origin_jti"] == old["origin_jti"]
    other = pool.client()
    for stranger, token in ((other, first["RefreshToken"]), (client, "nonsense"), (client, first["AccessToken"])):
        with refused("NotAuthorizedException", "Invalid Refresh Token"):
            pool.refresh(stranger, token)
    with refused("UnsupportedTokenTypeException"):
        api.revoke_token(ClientId=client, Token=first["AccessToken"])
    with refused("UnauthorizedException"):
        api.revoke_token(ClientId=other, Token=first["RefreshToken"])
    api.revoke_token(ClientId=client, Token=first["RefreshToken"])
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        pool.refresh(client, first["RefreshToken"])
    for token in (first["AccessToken"], fresh["AccessToken"]):
        with refused("NotAuthorizedException", "Access Token has been revoked"):
            api.get_user(AccessToken=token)
    assert api.get_user(AccessToken=second["AccessToken"])["Username"] == "ann"
    with later(pool.server, 31 * 86_400), refused("NotAuthorizedException", "Refresh Token has expired"):
        pool.refresh(client, second["RefreshToken"])
    api.global_sign_out(AccessToken=second["AccessToken"])
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        api.get_user(AccessToken=second["AccessToken"])


def test_a_client_with_a_secret(pool: Pool) -> None:
    client = pool.client(GenerateSecret=True)
    secret = pool.secret(client)
    with refused(
        "NotAuthorizedException", f"Client {client} is configured with secret but SECRET_HASH was not received"
    ):
        pool.sign_in(client, "ann")
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {client}"):
        pool.sign_in(client, "ann", SECRET_HASH=secret_hash("bob", client, secret))
    result = pool.sign_in(client, "ann", SECRET_HASH=secret_hash("ann", client, secret))
    fresh = pool.refresh(client, result["RefreshToken"], SECRET_HASH=secret_hash("ann", client, secret))
    assert pool.claims(fresh["IdToken"])["aud"] == client
    with refused("NotAuthorizedException", f"Unable to verify secret hash for client {client}"):
        pool.api.sign_up(ClientId=client, Username="carl", Password=PASSWORD, SecretHash="wrong")
    with refused("UnauthorizedException"):
        pool.api.revoke_token(ClientId=client, ClientSecret="w" * 24, Token=result["RefreshToken"])
    pool.api.revoke_token(ClientId=client, ClientSecret=secret, Token=result["RefreshToken"])


def test_groups_are_told_by_tokens(pool: Pool, client: str) -> None:
    api, at = pool.api, {"UserPoolId": pool.id}
    role = "arn:aws:iam::000000000000:role/{}".format
    api.create_group(**at, GroupName="admins", Precedence=1, RoleArn=role("admin"))
    api.create_group(**at, GroupName="users", Precedence=5, RoleArn=role("user"))
    with refused("GroupExistsException", "A group with the name already exists."):
        api.create_group(**at, GroupName="users")
    for group in ("users", "admins"):
        api.admin_add_user_to_group(**at, GroupName=group, Username="ann")
    claims = pool.claims(pool.sign_in(client, "ann")["IdToken"])
    assert claims["cognito:groups"] == ["users", "admins"]
    assert claims["cognito:preferred_role"] == role("admin")
    assert sorted(claims["cognito:roles"]) == [role("admin"), role("user")]
    assert [each["Username"] for each in api.list_users_in_group(**at, GroupName="admins")["Users"]] == ["ann"]
    assert [each["GroupName"] for each in api.list_groups(**at)["Groups"]] == ["admins", "users"]
    changed = api.update_group(**at, GroupName="users", Description="all")["Group"]
    assert (changed["Description"], changed["Precedence"]) == ("all", 5)
    api.admin_remove_user_from_group(**at, GroupName="users", Username="ann")
    listed = api.admin_list_groups_for_user(**at, Username="ann")["Groups"]
    assert [each["GroupName"] for each in listed] == ["admins"]
    api.delete_group(**at, GroupName="admins")
    assert api.admin_list_groups_for_user(**at, Username="ann")["Groups"] == []
    with refused("ResourceNotFoundException", "Group not found."):
        api.get_group(**at, GroupName="admins")


def test_users_are_found(server: Server) -> None:
    pool = Pool(server)
    at: dict[str, Any] = {"UserPoolId": pool.id}
    for number in range(3):
        attributes = [{"Name": "email", "Value": f"u{number}@example.com"}, {"Name": "name", "Value": 'say "hi"'}]
        pool.api.admin_create_user(**at, Username=f"user-{number}", UserAttributes=attributes, MessageAction="SUPPRESS")

    def names(**given: Any) -> list[str]:
        pages = pool.api.get_paginator("list_users").paginate(**at, **given)
        return [user["Username"] for page in pages for user in page["Users"]]

    assert names(Limit=1) == [f"user-{number}" for number in range(3)]
    assert names(Filter='email = "u2@example.com"') == ["user-2"]
    assert names(Filter='username ^= "user-"', Limit=1) == names()
    assert names(Filter='name = "say \\"hi\\""') == names()
    assert names(Filter='status = "Disabled"') == []
    assert names(Filter='cognito:user_status = "FORCE_CHANGE_PASSWORD"') == names()
    for text in ("email", 'email == "x"', 'nickname = "x"'):
        with refused("InvalidParameterException"):
            names(Filter=text)
    only = pool.api.list_users(**at, AttributesToGet=["email"], Limit=1)["Users"][0]["Attributes"]
    assert only == [{"Name": "email", "Value": "u0@example.com"}]
    pool.api.admin_delete_user(**at, Username="user-0")
    with refused("UserNotFoundException", "User does not exist."):
        pool.api.admin_get_user(**at, Username="user-0")
    assert pool.api.describe_user_pool(**at)["UserPool"]["EstimatedNumberOfUsers"] == 2


def test_names_are_of_letters_and_signs(pool: Pool, client: str) -> None:
    for name in ("a b", "a\x1fb", "a\nb", "\x00"):
        with refused("InvalidParameterException", "1 validation error detected: Value…"):
            pool.api.sign_up(ClientId=client, Username=name, Password=PASSWORD)
        with refused("InvalidParameterException", "1 validation error detected: Value…"):
            pool.api.create_group(UserPoolId=pool.id, GroupName=name)
    pool.user("Zoë-☃")
    assert pool.claims(pool.sign_in(client, "Zoë-☃")["AccessToken"])["username"] == "Zoë-☃"
    with refused("InvalidParameterException", "Email verification message should contain…"):
        pool.api.create_user_pool(PoolName="p", EmailVerificationMessage="no code here")


def test_users_who_sign_in_by_their_address(server: Server) -> None:
    pool = Pool(server, UsernameAttributes=["email"], UsernameConfiguration={"CaseSensitive": False})
    client = pool.client()
    with refused("InvalidParameterException", "Username should be an email."):
        pool.api.sign_up(ClientId=client, Username="dora", Password=PASSWORD)
    sub = pool.user("Dora@example.com")
    claims = pool.claims(pool.sign_in(client, "dora@EXAMPLE.com")["IdToken"])
    assert (claims["cognito:username"], claims["email"]) == (sub, "Dora@example.com")
    with refused("UsernameExistsException"):
        pool.api.admin_create_user(UserPoolId=pool.id, Username="dora@example.com")
    assert pool.api.admin_get_user(UserPoolId=pool.id, Username=sub)["Username"] == sub


def test_an_address_is_an_alias_once_it_is_verified(server: Server) -> None:
    pool = Pool(server, AliasAttributes=["email"])
    client = pool.client()
    pool.user("eve", email="eve@example.com")
    with refused("UserNotFoundException"):
        pool.sign_in(client, "eve@example.com")
    verified = [{"Name": "email_verified", "Value": "true"}]
    pool.api.admin_update_user_attributes(UserPoolId=pool.id, Username="eve", UserAttributes=verified)
    assert pool.claims(pool.sign_in(client, "eve@example.com")["IdToken"])["cognito:username"] == "eve"
    same = [{"Name": "email", "Value": "eve@example.com"}, *verified]
    with refused("AliasExistsException", "An account with the email already exists."):
        pool.api.admin_create_user(UserPoolId=pool.id, Username="mallory", UserAttributes=same)
    with refused("InvalidParameterException", "Username cannot be of email format…"):
        pool.api.admin_create_user(UserPoolId=pool.id, Username="x@example.com")


def test_attributes_keep_to_the_schema_and_to_the_client(server: Server) -> None:
    number = {
        "Name": "age",
        "AttributeDataType": "Number",
        "Mutable": True,
        "NumberAttributeConstraints": {"MaxValue": "150"},
    }
    fixed = {"Name": "born", "AttributeDataType": "String", "Mutable": False}
    pool = Pool(server, Schema=[number, fixed, {"Name": "name", "Required": True}], AutoVerifiedAttributes=["email"])
    client = pool.client(WriteAttributes=["name", "email", "custom:age"], ReadAttributes=["email", "custom:age"])
    required = "Attributes did not conform to the schema: name: The attribute is required\n"
    with refused("InvalidParameterException", required):
        pool.api.sign_up(ClientId=client, Username="fay", Password=PASSWORD)
    pool.user("fay", name="Fay", email="fay@example.com", email_verified="true", **{"custom:born": "1990"})
    result = pool.sign_in(client, "fay")
    claims = pool.claims(result["IdToken"])
    assert claims["email"] == "fay@example.com"
    assert "custom:born" not in claims
    assert "name" not in claims
    access = {"AccessToken": result["AccessToken"]}

    def change(name: str, value: str) -> Any:
        given = [{"Name": name, "Value": value}]
        return pool.api.update_user_attributes(**access, UserAttributes=given)["CodeDeliveryDetailsList"]

    assert change("custom:age", "42") == []
    for name, value in (("custom:age", "200"), ("custom:age", "old"), ("email", "none")):
        with refused("InvalidParameterException"):
            change(name, value)
    for name in ("custom:born", "email_verified", "nickname"):
        with refused("NotAuthorizedException", "A client attempted to write unauthorized attribute"):
            change(name, "x")
    assert change("email", "other@example.com")[0]["DeliveryMedium"] == "EMAIL"
    pool.api.verify_user_attribute(**access, AttributeName="email", Code=pool.code())
    shown = pool.api.admin_get_user(UserPoolId=pool.id, Username="fay")["UserAttributes"]
    assert {each["Name"]: each["Value"] for each in shown} | {"sub": ""} == {
        "sub": "",
        "name": "Fay",
        "email": "other@example.com",
        "email_verified": "true",
        "custom:born": "1990",
        "custom:age": "42",
    }
    with refused("InvalidParameterException"):
        pool.api.admin_update_user_attributes(
            UserPoolId=pool.id, Username="fay", UserAttributes=[{"Name": "custom:born", "Value": "1991"}]
        )
    pool.api.delete_user(**access)
    with refused("UserNotFoundException"):
        pool.api.get_user(**access)


REFUSED_OF_POOLS: list[dict[str, Any]] = [
    {"LambdaConfig": {"PreSignUp": "arn:aws:lambda:us-east-1:000000000000:function:f"}},
    {"MfaConfiguration": "ON"},
    {"MfaConfiguration": "OPTIONAL"},
    {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::000000000000:role/service-role/sms"}},
    {"AutoVerifiedAttributes": ["phone_number"]},
    {"DeviceConfiguration": {"ChallengeRequiredOnNewDevice": True}},
    {"EmailConfiguration": {"EmailSendingAccount": "DEVELOPER"}},
    {"EmailConfiguration": {"ReplyToEmailAddress": "a@example.com"}},
    {"UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"}},
    {"UserPoolTier": "PLUS"},
    {"VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_LINK"}},
    {"UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]}},
    {"Policies": {"PasswordPolicy": {"PasswordHistorySize": 3}}},
    {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}},
]
REFUSED_OF_CLIENTS: list[dict[str, Any]] = [
    {"ExplicitAuthFlows": ["ALLOW_USER_AUTH"]},
    {"SupportedIdentityProviders": ["Google"]},
    {"RefreshTokenRotation": {"Feature": "ENABLED"}},
    {"AnalyticsConfiguration": {"ApplicationId": "a"}},
    {"AllowedOAuthFlows": ["implicit"]},
    {"EnablePropagateAdditionalUserContextData": True},
]


def test_what_is_not_done_is_refused_by_name(pool: Pool) -> None:
    for settings in REFUSED_OF_POOLS:
        with refused("InvalidParameterException", "Tidegate does not support …"):
            pool.api.create_user_pool(PoolName="p", **settings)
        with refused("InvalidParameterException", "Tidegate does not support …"):
            pool.api.update_user_pool(
                UserPoolId=pool.id, **{name: value for name, value in settings.items() if name != "PoolName"}
            )
    for settings in REFUSED_OF_CLIENTS:
        with refused("InvalidParameterException", "Tidegate does not support …"):
            pool.client(**settings)
    with refused(
        "UnsupportedOperationException", "Tidegate does not support the operation CreateIdentityProvider yet…"
    ):
        pool.api.create_identity_provider(
            UserPoolId=pool.id, ProviderName="Google", ProviderType="Google", ProviderDetails={}
        )
    with refused("InvalidParameterException", "Tidegate does not support …"):
        pool.api.set_user_pool_mfa_config(UserPoolId=pool.id, MfaConfiguration="ON")


def test_pools_are_described_changed_and_deleted(server: Server) -> None:
    pool = Pool(server, UserPoolTags={"a": "1"}, DeletionProtection="ACTIVE")
    api, at = pool.api, {"UserPoolId": pool.id}
    weak = {"PasswordPolicy": {"MinimumLength": 6}}
    api.update_user_pool(**at, PoolName="other", Policies=weak, DeletionProtection="ACTIVE")
    shown = api.describe_user_pool(**at)["UserPool"]
    assert (shown["Name"], shown["UserPoolTags"], shown["MfaConfiguration"]) == ("other", {"a": "1"}, "OFF")
    assert shown["Policies"]["PasswordPolicy"] == {
        "MinimumLength": 6,
        "RequireUppercase": False,
        "RequireLowercase": False,
        "RequireNumbers": False,
        "RequireSymbols": False,
        "TemporaryPasswordValidityDays": 7,
    }
    api.update_user_pool(**at, AdminCreateUserConfig={"UnusedAccountValidityDays": 3}, DeletionProtection="ACTIVE")
    shown = api.describe_user_pool(**at)["UserPool"]
    assert shown["Name"] == "other"
    assert shown["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 3}
    assert shown["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"] == 3
    api.tag_resource(ResourceArn=pool.arn, Tags={"b": "2"})
    api.untag_resource(ResourceArn=pool.arn, TagKeys=["a"])
    assert api.list_tags_for_resource(ResourceArn=pool.arn)["Tags"] == {"b": "2"}
    pages = api.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 1})
    assert pool.id in [each["Id"] for page in pages for each in page["UserPools"]]
    api.create_user_pool_domain(**at, Domain="tide-test")
    assert api.describe_user_pool_domain(Domain="tide-test")["DomainDescription"]["UserPoolId"] == pool.id
    with refused("InvalidParameterException", "Domain already associated with another user pool."):
        api.create_user_pool_domain(UserPoolId=Pool(server).id, Domain="tide-test")
    with refused("InvalidParameterException", "The user pool cannot be deleted because deletion protection is…"):
        api.delete_user_pool(**at)
    api.update_user_pool(**at, DeletionProtection="INACTIVE")
    with refused("InvalidParameterException", "User pool cannot be deleted. It has a domain configured…"):
        api.delete_user_pool(**at)
    api.delete_user_pool_domain(**at, Domain="tide-test")
    client = pool.client()
    api.delete_user_pool(**at)
    with refused("ResourceNotFoundException", f"User pool {pool.id} does not exist."):
        api.describe_user_pool(**at)
    with refused("ResourceNotFoundException", f"User pool client {client} does not exist."):
        pool.sign_in(client, "ann")
    with refused("InvalidParameterException"):
        api.create_user_pool(PoolName="not/allowed")
    fixed = Pool(server, UserPoolTags={"_custom_id_": "us-east-1_mine"})
    assert fixed.id == "us-east-1_mine"
    # Another account does not see it, and its region is its own.
    with refused("ResourceNotFoundException"):
        server.client("cognito-idp", key="222222222222").describe_user_pool(UserPoolId=fixed.id)
    api.delete_user_pool(UserPoolId=fixed.id)


def test_clients_are_described_changed_and_deleted(pool: Pool) -> None:
    api, at = pool.api, {"UserPoolId": pool.id}
    units = {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours"}
    validity = {
        "AccessTokenValidity": 10,
        "IdTokenValidity": 20,
        "RefreshTokenValidity": 2,
        "TokenValidityUnits": units,
    }
    client = pool.client(**validity)
    result = pool.sign_in(client, "ann")
    assert result["ExpiresIn"] == 600
    identity = pool.claims(result["IdToken"])
    assert identity["exp"] - identity["iat"] == 1200
    with later(pool.server, 7201), refused("NotAuthorizedException", "Refresh Token has expired"):
        pool.refresh(client, result["RefreshToken"])
    for wrong in ({"AccessTokenValidity": 4}, {"AccessTokenValidity": 1441}, {"RefreshTokenValidity": 87_601}):
        with refused("InvalidParameterException", "Invalid range for token validity."):
            pool.client(**{**validity, **wrong})
    with refused("InvalidParameterException"):
        pool.client(ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "USER_PASSWORD_AUTH"])
    code = {"AllowedOAuthFlows": ["code"], "AllowedOAuthScopes": ["openid"], "AllowedOAuthFlowsUserPoolClient": True}
    for wrong_url in ([], ["http://example.com"], ["https://example.com/#x"]):
        with refused("InvalidParameterException"):
            pool.client(**code, CallbackURLs=wrong_url)
    with refused("ScopeDoesNotExistException"):
        pool.client(**{**code, "AllowedOAuthScopes": ["pets/read"]}, CallbackURLs=["https://example.com"])
    with refused("InvalidParameterException"):
        pool.client(**{**code, "AllowedOAuthFlows": ["client_credentials"]})
    changed = api.update_user_pool_client(**at, ClientId=client, ClientName="new", EnableTokenRevocation=False)
    assert changed["UserPoolClient"]["ClientName"] == "new"
    assert "AccessTokenValidity" not in changed["UserPoolClient"]
    assert "ClientSecret" not in changed["UserPoolClient"]
    assert client in [each["ClientId"] for each in api.list_user_pool_clients(**at)["UserPoolClients"]]
    with refused("UnsupportedOperationException"):
        api.revoke_token(ClientId=client, Token="x")
    api.delete_user_pool_client(**at, ClientId=client)
    with refused("ResourceNotFoundException", f"User pool client {client} does not exist."):
        api.describe_user_pool_client(**at, ClientId=client)


def test_resource_servers(pool: Pool) -> None:
    api, at = pool.api, {"UserPoolId": pool.id}
    scopes = [{"ScopeName": "read", "ScopeDescription": "reads"}]
    made = api.create_resource_server(**at, Identifier="pets", Name="Pets", Scopes=scopes)["ResourceServer"]
    assert made == {"UserPoolId": pool.id, "Identifier": "pets", "Name": "Pets", "Scopes": scopes}
    with refused("InvalidParameterException", f"pets already exists in user pool {pool.id}."):
        api.create_resource_server(**at, Identifier="pets", Name="Pets")
    assert api.list_resource_servers(**at, MaxResults=10)["ResourceServers"] == [made]
    api.update_resource_server(**at, Identifier="pets", Name="Animals", Scopes=scopes)
    assert api.describe_resource_server(**at, Identifier="pets")["ResourceServer"]["Name"] == "Animals"
    api.delete_resource_server(**at, Identifier="pets")
    with refused("ResourceNotFoundException"):
        api.describe_resource_server(**at, Identifier="pets")


def test_a_pool_survives_and_keeps_its_secrets(tmp_path: Any) -> None:
    server = Server(tmp_path / "data").start()
    pool = Pool(server)
    client = pool.client(GenerateSecret=True)
    secret = pool.secret(client)
    pool.user("ann")
    proof = {"SECRET_HASH": secret_hash("ann", client, secret)}
    token = pool.sign_in(client, "ann", **proof)["RefreshToken"]
    key = pool.key().public_numbers()
    server.kill()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("tidegate.db*"))
    assert pool.id.encode() in kept
    for hidden in (PASSWORD, secret, token, "PRIVATE KEY"):
        assert hidden.encode() not in kept
    # Users need no credentials, whatever the management API asks of everybody else.
    server = Server(tmp_path / "data", ("--iam", "enforce")).start()
    try:
        again = Pool.__new__(Pool)
        again.server, again.api, again.id = server, server.client("cognito-idp"), pool.id
        assert again.key().public_numbers() == key
        assert "AccessToken" in again.refresh(client, token, **proof)
        with refused("UnrecognizedClientException"):
            again.api.describe_user_pool(UserPoolId=pool.id)
        assert server.request("GET", f"/_tidegate/user-pools/{pool.id}/messages").status == 403
    finally:
        server.stop()


def test_flows_of_a_new_client_are_those_of_aws(pool: Pool) -> None:
    plain = pool.api.create_user_pool_client(UserPoolId=pool.id, ClientName="plain")["UserPoolClient"]
    with refused("InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"):
        pool.sign_in(plain["ClientId"], "ann")
    old = pool.client(ExplicitAuthFlows=["USER_PASSWORD_AUTH"])
    assert "RefreshToken" in pool.sign_in(old, "ann")
