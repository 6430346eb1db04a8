"""User pools: create, describe, list, update, delete, tags. What a pool can ask for and is not done here is refused.

Source: *CreateUserPool*, *UpdateUserPool* (Amazon Cognito user pools API Reference).
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.cognito_idp.attributes import extended_schema, standard_schema
from tidegate.control.cognito_idp.desk import Costly, Desk, Operation, page
from tidegate.control.cognito_idp.errors import invalid, missing, unsupported
from tidegate.control.cognito_idp.lookup import pool_of
from tidegate.control.cognito_idp.signing import make_key
from tidegate.definition.records import (
    USER_POOL_PARTS,
    ClientPool,
    PoolKey,
    PoolUser,
    UserPool,
    UserPoolClient,
)

_ALPHABET = string.ascii_letters + string.digits
_POOL_ID = re.compile(r"[\w-]+_[0-9a-zA-Z]+", re.ASCII)
_CUSTOM_ID = "_custom_id_"
"""The tag that fixes a new pool's id."""
_DEFAULT_POLICY = {
    "minimum_length": 8,
    **dict.fromkeys(("require_uppercase", "require_lowercase", "require_numbers", "require_symbols"), True),
    "temporary_password_validity_days": 7,
}

_REFUSED: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "lambda_config": ("Lambda triggers (LambdaConfig)", lambda given: any(given.values())),
    "mfa_configuration": ("multi-factor authentication (MfaConfiguration)", lambda given: given != "OFF"),
    "sms_configuration": ("SMS messages (SmsConfiguration)", bool),
    "device_configuration": ("devices (DeviceConfiguration)", bool),
    "dcr_configuration": ("dynamic client registration (DcrConfiguration)", bool),
    "acr_configuration": ("AcrConfiguration", bool),
    "key_configuration": ("KeyConfiguration", bool),
    "issuer_configuration": ("IssuerConfiguration", bool),
    "user_pool_add_ons": (
        "threat protection (UserPoolAddOns)",
        lambda given: given.get("advanced_security_mode", "OFF") != "OFF" or len(given) > 1,
    ),
    "user_pool_tier": ("the PLUS tier (UserPoolTier)", lambda given: given == "PLUS"),
    "user_attribute_update_settings": (
        "verification before an attribute is updated (UserAttributeUpdateSettings)",
        lambda given: bool(given.get("attributes_require_verification_before_update")),
    ),
    "email_configuration": (
        "sending e-mail (EmailConfiguration)",
        lambda given: any(value != "COGNITO_DEFAULT" for value in given.values() if value is not None),
    ),
    "auto_verified_attributes": (
        "verifying phone numbers, which needs SMS messages (AutoVerifiedAttributes)",
        lambda given: "phone_number" in given,
    ),
    "verification_message_template": (
        "links instead of codes (VerificationMessageTemplate)",
        lambda given: given.get("default_email_option") == "CONFIRM_WITH_LINK",
    ),
}
"""Parameters that ask for what is not done, when they do."""
_TEMPLATES = (
    *("verification_message_template", "email_verification_message", "email_verification_subject"),
    *("sms_verification_message", "sms_authentication_message"),
)
_CHANGEABLE = (
    *("auto_verified_attributes", "deletion_protection", "email_configuration", "account_recovery_setting"),
    *("user_pool_tier", "user_pool_tags", *_TEMPLATES),
)


def create(desk: Desk, params: Params) -> Costly:
    _refuse(params)
    schema = extended_schema(standard_schema(), params.get("schema") or ())
    settings = {**_settings(params), "schema_attributes": schema}
    for name in ("alias_attributes", "username_attributes", "username_configuration"):
        settings[name] = params.get(name)
    if settings["alias_attributes"] and settings["username_attributes"]:
        raise invalid("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
    pool_id = _new_id(desk, params.get("user_pool_tags") or {})
    kid, box = f"{secrets.token_urlsafe(32)}=", desk.tools.secrets

    def store(later: Desk, key: PoolKey) -> dict[str, Any]:
        pool = UserPool(
            id=pool_id,
            name=params["pool_name"],
            arn=f"arn:aws:cognito-idp:{later.scope.region}:{later.scope.account}:userpool/{pool_id}",
            creation_date=later.now,
            last_modified_date=later.now,
            key_pair=key,
            **settings,
        )
        if later.tx.locate(UserPool, pool_id) is not None:
            raise invalid(f"A user pool with the id {pool_id} exists already")
        later.tx.put(pool)
        return {"user_pool": shown(later, pool)}

    return Costly(lambda: make_key(box, kid), store)


def _new_id(desk: Desk, tags: Mapping[str, str]) -> str:
    given = tags.get(_CUSTOM_ID)
    if given is None:
        return f"{desk.scope.region}_{''.join(secrets.choice(_ALPHABET) for _ in range(9))}"
    if not _POOL_ID.fullmatch(given) or not given.startswith(f"{desk.scope.region}_"):
        raise invalid(f"{_CUSTOM_ID} {given} is no user pool id of {desk.scope.region}")
    return given


def _refuse(params: Params) -> None:
    for name, (noun, asks) in _REFUSED.items():
        given = params.get(name)
        if given and asks(given):
            raise unsupported(noun)


def _check_messages(params: Params) -> None:
    template = params.get("verification_message_template") or {}
    for message in (params.get("email_verification_message"), template.get("email_message")):
        if message and "{####}" not in message:
            raise invalid("Email verification message should contain the code's place, {####}")


def _settings(params: Params) -> dict[str, Any]:
    """What an update sets too: a parameter that is not given gets its default."""
    changeable = {name: value for name in _CHANGEABLE if (value := params.get(name)) is not None}
    _check_messages(params)
    policies = _policies(params)
    creation = _creation(params, policies["password_policy"]["temporary_password_validity_days"])
    return {**changeable, "policies": policies, "admin_create_user_config": creation}


def _policies(params: Params) -> dict[str, Any]:
    given = params.get("policies") or {}
    sign_in = (given.get("sign_in_policy") or {}).get("allowed_first_auth_factors") or ["PASSWORD"]
    if sign_in != ["PASSWORD"]:
        raise unsupported("sign-in without a password (SignInPolicy)")
    policy = given.get("password_policy")
    if policy is None:
        policy = _DEFAULT_POLICY
    elif policy.get("password_history_size"):
        raise unsupported("a history of passwords (PasswordHistorySize)")
    switches = {name: bool(policy.get(name)) for name in _DEFAULT_POLICY if name.startswith("require_")}
    return {
        "password_policy": {
            "minimum_length": policy.get("minimum_length") or 8,
            **switches,
            "temporary_password_validity_days": _days(policy, params),
        },
        "sign_in_policy": {"allowed_first_auth_factors": sign_in},
    }


def _days(policy: Mapping[str, Any], params: Params) -> int:
    """AWS: UnusedAccountValidityDays is the older name, and counts where the newer one is not given."""
    given = (params.get("policies") or {}).get("password_policy") or {}
    days = given.get("temporary_password_validity_days")
    if days is None:
        days = (params.get("admin_create_user_config") or {}).get("unused_account_validity_days")
    return int(policy.get("temporary_password_validity_days", 7) if days is None else days)


def _creation(params: Params, days: int) -> dict[str, Any]:
    given = params.get("admin_create_user_config") or {}
    return {"allow_admin_create_user_only": False, **given, "unused_account_validity_days": days}


def shown(desk: Desk, pool: UserPool) -> dict[str, Any]:
    fields = {name: getattr(pool, name) for name in pool.__dataclass_fields__ if name != "key_pair"}
    return {
        **fields,
        "lambda_config": {},
        "email_configuration": pool.email_configuration or {"email_sending_account": "COGNITO_DEFAULT"},
        "verification_message_template": {
            "default_email_option": "CONFIRM_WITH_CODE",
            **(pool.verification_message_template or {}),
        },
        "user_pool_tags": pool.user_pool_tags or {},
        "estimated_number_of_users": desk.tx.count(PoolUser, pool.id),
    }


def describe(desk: Desk, params: Params) -> dict[str, Any]:
    return {"user_pool": shown(desk, pool_of(desk, params["user_pool_id"]))}


def list_pools(desk: Desk, params: Params) -> dict[str, Any]:
    pools, token = page(desk, UserPool, params=params)
    return {"user_pools": [_brief(pool) for pool in pools], "next_token": token}


def _brief(pool: UserPool) -> dict[str, Any]:
    names = ("id", "name", "last_modified_date", "creation_date")
    return {**{name: getattr(pool, name) for name in names}, "lambda_config": {}}


def update(desk: Desk, params: Params) -> None:
    pool = pool_of(desk, params["user_pool_id"])
    _refuse(params)
    defaults = UserPool(
        **{
            name: getattr(pool, name)
            for name in ("id", "arn", "creation_date", "key_pair", "schema_attributes", "domain")
        },
        **{name: getattr(pool, name) for name in ("alias_attributes", "username_attributes", "username_configuration")},
        name=params.get("pool_name") or pool.name,
        last_modified_date=desk.now,
        **_settings(params),
    )
    # AWS: tags stay when none are given.
    tags = params.get("user_pool_tags")
    desk.tx.put(replace(defaults, user_pool_tags=pool.user_pool_tags if tags is None else tags))


def delete(desk: Desk, params: Params) -> None:
    pool = pool_of(desk, params["user_pool_id"])
    if pool.deletion_protection == "ACTIVE":
        raise invalid(
            "The user pool cannot be deleted because deletion protection is activated. "
            "Deletion protection must be inactivated first."
        )
    if pool.domain:
        raise invalid("User pool cannot be deleted. It has a domain configured that should be deleted first.")
    for client in desk.tx.list(UserPoolClient, pool.id):
        desk.tx.delete(ClientPool, client.client_id)
    for kind in USER_POOL_PARTS:
        desk.tx.delete_all(kind, pool.id)
    desk.tx.delete(UserPool, pool.id)


def add_attributes(desk: Desk, params: Params) -> None:
    pool = pool_of(desk, params["user_pool_id"])
    given = params["custom_attributes"]
    taken = {each["name"] for each in standard_schema()}
    for each in given:
        if each.get("name") in taken:
            raise invalid(f"{each['name']}: Existing attribute already has name {each['name']}.")
    schema = extended_schema(pool.schema_attributes, given)
    desk.tx.put(replace(pool, schema_attributes=schema, last_modified_date=desk.now))


def get_mfa(desk: Desk, params: Params) -> dict[str, Any]:
    return {"mfa_configuration": pool_of(desk, params["user_pool_id"]).mfa_configuration}


def set_mfa(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    asked = {name for name, value in params.items() if value and name not in ("user_pool_id", "mfa_configuration")}
    if asked or (params.get("mfa_configuration") or "OFF") != "OFF":
        raise unsupported("multi-factor authentication")
    return {"mfa_configuration": pool.mfa_configuration}


def _tagged(desk: Desk, params: Params) -> UserPool:
    arn = params["resource_arn"]
    pool = desk.tx.get(UserPool, arn.rpartition("/")[2])
    if pool is None or pool.arn != arn:
        raise missing(f"Resource {arn} does not exist.")
    return pool


def tags_of(desk: Desk, params: Params) -> dict[str, Any]:
    return {"tags": _tagged(desk, params).user_pool_tags or {}}


def tag(desk: Desk, params: Params) -> dict[str, Any]:
    pool = _tagged(desk, params)
    desk.tx.put(replace(pool, user_pool_tags={**(pool.user_pool_tags or {}), **params["tags"]}))
    return {}


def untag(desk: Desk, params: Params) -> dict[str, Any]:
    pool = _tagged(desk, params)
    rest = {key: value for key, value in (pool.user_pool_tags or {}).items() if key not in params["tag_keys"]}
    desk.tx.put(replace(pool, user_pool_tags=rest or None))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateUserPool": create,
    "DescribeUserPool": describe,
    "ListUserPools": list_pools,
    "UpdateUserPool": update,
    "DeleteUserPool": delete,
    "AddCustomAttributes": add_attributes,
    "GetUserPoolMfaConfig": get_mfa,
    "SetUserPoolMfaConfig": set_mfa,
    "ListTagsForResource": tags_of,
    "TagResource": tag,
    "UntagResource": untag,
}
