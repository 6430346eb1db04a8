"""Confirmation codes: made, remembered by a keyed hash, put into the outbox as the pool's message says, and taken back.

Source: *SignUp*, *ForgotPassword*, *Configuring email messages*. AWS: codes to sign up and to verify an attribute hold a day,
those for a forgotten password an hour.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from typing import Any

from tidegate.control.cognito_idp.attributes import masked
from tidegate.control.cognito_idp.desk import Desk
from tidegate.control.cognito_idp.errors import old_code, wrong_code
from tidegate.control.cognito_idp.outbox import Message
from tidegate.definition.records import Code, PoolUser, UserPool

SIGN_UP, FORGOT, EMAIL = "sign-up", "forgot-password", "email"
_HOLDS = {SIGN_UP: 86_400, FORGOT: 3600, EMAIL: 86_400}
_SUBJECTS = {FORGOT: "Your password reset code"}
_BODIES = {FORGOT: "Your password reset code is {####}"}
_SUBJECT, _BODY = "Your verification code", "Your confirmation code is {####}"
_INVITE_SUBJECT = "Your temporary password"
_INVITE_BODY = "Your username is {username} and temporary password is {####}."


def send(desk: Desk, pool: UserPool, user: PoolUser, purpose: str) -> PoolUser:
    """A new code to the user's e-mail address; stored. The one before no longer holds."""
    desk.tools.attempts.check_sending(pool.id, user.username)
    code = f"{secrets.randbelow(10**6):06d}"
    kept = Code(digest=_digest(desk, pool, user, purpose, code), expires=desk.now + _HOLDS[purpose])
    changed = replace(user, codes={**user.codes, purpose: kept})
    desk.tx.put(changed)
    template = pool.verification_message_template or {}
    subject = template.get("email_subject") or pool.email_verification_subject or _SUBJECTS.get(purpose, _SUBJECT)
    body = template.get("email_message") or pool.email_verification_message or _BODIES.get(purpose, _BODY)
    _post(desk, pool, user, subject, body, code)
    return changed


def invite(desk: Desk, pool: UserPool, user: PoolUser, password: str) -> None:
    """The temporary password of a user that an administrator made."""
    if not user.attributes.get("email"):
        return
    template = pool.admin_create_user_config.get("invite_message_template") or {}
    subject, body = template.get("email_subject") or _INVITE_SUBJECT, template.get("email_message") or _INVITE_BODY
    _post(desk, pool, user, subject, body, password)


def _post(desk: Desk, pool: UserPool, user: PoolUser, subject: str, body: str, code: str) -> None:
    name = user.attributes["email"] if pool.username_attributes else user.username
    filled = body.replace("{####}", code).replace("{username}", name)
    desk.tools.outbox.send(Message(pool.id, user.username, user.attributes["email"], subject, filled, code))


def take(desk: Desk, pool: UserPool, user: PoolUser, purpose: str, given: str) -> PoolUser:
    """The user without the code, not stored. Raises ControlError for one that is wrong or has expired."""
    kept, attempts = user.codes.get(purpose), desk.tools.attempts
    if kept is None:
        raise old_code()
    attempts.check_code(kept.digest)
    if not hmac.compare_digest(kept.digest, _digest(desk, pool, user, purpose, given)):
        attempts.wrong_code(kept.digest)
        raise wrong_code()
    if kept.expires <= desk.now:
        raise old_code()
    return replace(user, codes={name: code for name, code in user.codes.items() if name != purpose})


def _digest(desk: Desk, pool: UserPool, user: PoolUser, purpose: str, code: str) -> str:
    """Six digits are soon tried out: without the key, a hash of them would hide nothing."""
    key = desk.tools.secrets.derive("confirmation codes")
    # Bound to the user's own id: a name that is given to somebody else later takes no old code.
    return hmac.digest(key, "\x1f".join((pool.id, user.sub, purpose, code)).encode(), "sha256").hex()


def delivery(email: str) -> dict[str, Any]:
    return {"destination": masked(email), "delivery_medium": "EMAIL", "attribute_name": "email"}
