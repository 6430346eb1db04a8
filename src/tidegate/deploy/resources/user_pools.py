"""AWS::Cognito::UserPool and what belongs to it: clients, domain, resource servers, groups, users.

What a pool asks for and is not done is refused by the management API, which says so; here are refused the properties that only
ask for such things. AWS: CloudFormation Template Reference, "Amazon Cognito resource type reference".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tidegate.deploy.resources.base import Context, Made, Props, Provider, ResourceError, Table, found, gone_is_fine
from tidegate.deploy.resources.shapes import call

_SERVICE = "cognito-idp"
_FIXED = ("AliasAttributes", "UsernameAttributes", "UsernameConfiguration")
_CUSTOM = "custom attributes are added to a pool's schema; none can be changed or removed"


class UserPool(Provider):
    type = "AWS::Cognito::UserPool"
    attributes = frozenset({"Arn", "ProviderName", "ProviderURL", "UserPoolId"})
    table = Table(
        handled=frozenset(
            {
                *("AccountRecoverySetting", "AdminCreateUserConfig", "AutoVerifiedAttributes", "DeletionProtection"),
                *("DeviceConfiguration", "EmailConfiguration", "EmailVerificationMessage", "EmailVerificationSubject"),
                *("SmsAuthenticationMessage", "SmsVerificationMessage"),
                *("LambdaConfig", "MfaConfiguration", "Policies", "Schema", "UserAttributeUpdateSettings"),
                *("UserPoolAddOns", "UserPoolName", "UserPoolTags", "UserPoolTier", "VerificationMessageTemplate"),
                *_FIXED,
            }
        ),
        reported={"EnabledMfas": "has no effect: there is no multi-factor authentication"},
        refused={
            "SmsConfiguration": "no SMS messages are sent",
            **dict.fromkeys(
                ("EmailAuthenticationMessage", "EmailAuthenticationSubject"), "sign-in by e-mail is not supported"
            ),
            **dict.fromkeys(
                ("WebAuthnFactorConfiguration", "WebAuthnRelyingPartyID", "WebAuthnUserVerification"),
                "passkeys are not supported",
            ),
            "IssuerConfiguration": "is not supported",
            "KeyConfiguration": "is not supported",
        },
        name="UserPoolName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients(_SERVICE)
        pool = call(client, "CreateUserPool", _settings(properties, context) | _of_creation(properties))["UserPool"]
        url = f"cognito-idp.{context.target.region}.amazonaws.com/{pool['Id']}"
        attributes = {
            "Arn": pool["Arn"],
            "ProviderName": url,
            "ProviderURL": f"https://{url}",
            "UserPoolId": pool["Id"],
        }
        return Made(pool["Id"], attributes)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        if changed := next((name for name in _FIXED if properties.get(name) != old.get(name)), None):
            raise ResourceError(f"{changed}: cannot be changed once the pool is there")
        added = _added_attributes(properties, old)
        client = context.clients(_SERVICE)
        at = {"UserPoolId": made.physical_id}
        call(client, "UpdateUserPool", {**at, "UserPoolTags": {}, **_settings(properties, context)})
        there = {each["Name"] for each in client.describe_user_pool(**at)["UserPool"]["SchemaAttributes"]}
        # Repeating an update after a failure is harmless: what was added then is not added again.
        if missing := [each for each in added if f"custom:{each['Name']}" not in there]:
            call(client, "AddCustomAttributes", {**at, "CustomAttributes": missing})
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients(_SERVICE).delete_user_pool(UserPoolId=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients(_SERVICE).describe_user_pool(UserPoolId=made.physical_id))


def _settings(properties: Props, context: Context) -> dict[str, Any]:
    """What can be changed later too."""
    named = {"PoolName": properties.get("UserPoolName") or context.name(128)}
    creation = {*_FIXED, "Schema", "UserPoolName", "EnabledMfas"}
    return named | {name: value for name, value in properties.items() if name not in creation}


def _of_creation(properties: Props) -> dict[str, Any]:
    return {name: properties[name] for name in (*_FIXED, "Schema") if name in properties}


def _added_attributes(properties: Props, old: Props) -> list[Mapping[str, Any]]:
    """Raises ResourceError for any other change of the schema."""
    wanted = {each["Name"]: each for each in properties.get("Schema") or []}
    before = {each["Name"]: each for each in old.get("Schema") or []}
    if any(wanted.get(name) != each for name, each in before.items()):
        raise ResourceError(f"Schema: {_CUSTOM}")
    return [each for name, each in wanted.items() if name not in before]


class _Part(Provider):
    """A type whose operations are Create, Describe, Update and Delete followed by its noun."""

    noun: ClassVar[str]
    key: ClassVar[str]
    """The parameter, beside the pool's id, that names one."""
    reading: ClassVar[str] = "Describe"

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        call(context.clients(_SERVICE), f"Update{self.noun}", {**self._given(properties), self.key: made.physical_id})
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            call(context.clients(_SERVICE), f"Delete{self.noun}", self._at(made, properties))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: call(context.clients(_SERVICE), f"{self.reading}{self.noun}", self._at(made, properties)))

    def _at(self, made: Made, properties: Props) -> dict[str, Any]:
        return {"UserPoolId": properties["UserPoolId"], self.key: made.physical_id}

    def _given(self, properties: Props) -> dict[str, Any]:
        """Without what only creation takes."""
        return dict(properties)


class UserPoolClient(_Part):
    type = "AWS::Cognito::UserPoolClient"
    attributes = frozenset({"ClientId", "ClientSecret", "Name"})
    noun, key = "UserPoolClient", "ClientId"
    table = Table(
        handled=frozenset(
            {
                *("AccessTokenValidity", "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient", "AllowedOAuthScopes"),
                *("AnalyticsConfiguration", "AuthSessionValidity", "CallbackURLs", "ClientName", "DefaultRedirectURI"),
                *("EnablePropagateAdditionalUserContextData", "EnableTokenRevocation", "ExplicitAuthFlows"),
                *("GenerateSecret", "IdTokenValidity", "LogoutURLs", "PreventUserExistenceErrors", "ReadAttributes"),
                *("RefreshTokenRotation", "RefreshTokenValidity", "SupportedIdentityProviders", "TokenValidityUnits"),
                *("UserPoolId", "WriteAttributes"),
            }
        ),
        required=frozenset({"UserPoolId"}),
        replacing=frozenset({"GenerateSecret", "UserPoolId"}),
        name="ClientName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        named = {"ClientName": properties.get("ClientName") or context.name(128)}
        client = call(context.clients(_SERVICE), "CreateUserPoolClient", {**properties, **named})["UserPoolClient"]
        attributes = {"ClientId": client["ClientId"], "Name": client["ClientName"]}
        return Made(client["ClientId"], attributes | {"ClientSecret": client.get("ClientSecret", "")})

    def _given(self, properties: Props) -> dict[str, Any]:
        return {name: value for name, value in properties.items() if name != "GenerateSecret"}


class UserPoolResourceServer(_Part):
    type = "AWS::Cognito::UserPoolResourceServer"
    noun, key = "ResourceServer", "Identifier"
    table = Table(
        handled=frozenset({"Identifier", "Name", "Scopes", "UserPoolId"}),
        required=frozenset({"Identifier", "Name", "UserPoolId"}),
        replacing=frozenset({"Identifier", "UserPoolId"}),
        name="Identifier",
    )

    def create(self, properties: Props, context: Context) -> Made:
        call(context.clients(_SERVICE), "CreateResourceServer", properties)
        return Made(str(properties["Identifier"]))


class UserPoolGroup(_Part):
    type = "AWS::Cognito::UserPoolGroup"
    noun, key, reading = "Group", "GroupName", "Get"
    table = Table(
        handled=frozenset({"Description", "GroupName", "Precedence", "RoleArn", "UserPoolId"}),
        required=frozenset({"UserPoolId"}),
        replacing=frozenset({"GroupName", "UserPoolId"}),
        name="GroupName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        name = str(properties.get("GroupName") or context.name(128))
        call(context.clients(_SERVICE), "CreateGroup", {**properties, "GroupName": name})
        return Made(name)


class UserPoolDomain(Provider):
    type = "AWS::Cognito::UserPoolDomain"
    attributes = frozenset({"CloudFrontDistribution"})
    table = Table(
        handled=frozenset({"Domain", "ManagedLoginVersion", "UserPoolId"}),
        refused={"CustomDomainConfig": "custom domains of user pools are not supported", "Routing": "is not supported"},
        required=frozenset({"Domain", "UserPoolId"}),
        replacing=frozenset({"Domain", "UserPoolId"}),
        name="Domain",
    )

    def create(self, properties: Props, context: Context) -> Made:
        call(context.clients(_SERVICE), "CreateUserPoolDomain", properties)
        # A prefix domain has no distribution of its own.
        return Made(str(properties["Domain"]), {"CloudFrontDistribution": ""})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        if str(properties.get("ManagedLoginVersion", 1)) != "1":
            raise ResourceError("ManagedLoginVersion: managed login (version 2) is not supported")
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        at = {"UserPoolId": properties["UserPoolId"], "Domain": made.physical_id}
        with gone_is_fine("InvalidParameterException"):
            call(context.clients(_SERVICE), "DeleteUserPoolDomain", at)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        described = context.clients(_SERVICE).describe_user_pool_domain(Domain=made.physical_id)
        return bool(described["DomainDescription"].get("UserPoolId") == properties["UserPoolId"])


class UserPoolUser(Provider):
    type = "AWS::Cognito::UserPoolUser"
    table = Table(
        handled=frozenset(
            {
                *("ClientMetadata", "DesiredDeliveryMediums", "ForceAliasCreation", "MessageAction", "UserAttributes"),
                *("UserPoolId", "Username", "ValidationData"),
            }
        ),
        required=frozenset({"UserPoolId"}),
        replacing=frozenset(
            {
                *("ClientMetadata", "DesiredDeliveryMediums", "ForceAliasCreation", "MessageAction", "UserAttributes"),
                *("UserPoolId", "Username", "ValidationData"),
            }
        ),
        name="Username",
    )

    def create(self, properties: Props, context: Context) -> Made:
        named = {"Username": properties.get("Username") or context.name(128)}
        user = call(context.clients(_SERVICE), "AdminCreateUser", {**properties, **named})["User"]
        return Made(user["Username"])

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine("UserNotFoundException"):
            call(context.clients(_SERVICE), "AdminDeleteUser", self._at(made, properties))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        users = context.clients(_SERVICE).list_users(
            UserPoolId=properties["UserPoolId"], Filter=f'username = "{made.physical_id}"'
        )
        return bool(users["Users"])

    @staticmethod
    def _at(made: Made, properties: Props) -> dict[str, Any]:
        return {"UserPoolId": properties["UserPoolId"], "Username": made.physical_id}


class UserPoolUserToGroupAttachment(Provider):
    type = "AWS::Cognito::UserPoolUserToGroupAttachment"
    table = Table(
        handled=frozenset({"GroupName", "UserPoolId", "Username"}),
        required=frozenset({"GroupName", "UserPoolId", "Username"}),
        replacing=frozenset({"GroupName", "UserPoolId", "Username"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        call(context.clients(_SERVICE), "AdminAddUserToGroup", properties)
        return Made("/".join(str(properties[name]) for name in ("UserPoolId", "GroupName", "Username")))

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine("UserNotFoundException"):
            call(context.clients(_SERVICE), "AdminRemoveUserFromGroup", properties)


USER_POOL_TYPES: tuple[Provider, ...] = (
    UserPool(),
    UserPoolClient(),
    UserPoolDomain(),
    UserPoolGroup(),
    UserPoolResourceServer(),
    UserPoolUser(),
    UserPoolUserToGroupAttachment(),
)
