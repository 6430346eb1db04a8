"""Security schemes → authorizers, and the `security` of an operation → what guards its method.

Source: *x-amazon-apigateway-authorizer object*, *x-amazon-apigateway-authtype property*, *x-amazon-apigateway-auth object*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate.definition.openapi.extensions import (
    AUTH,
    AUTHORIZER,
    AUTHORIZER_MEMBERS,
    AUTHORIZER_TYPES,
    AUTHTYPE,
    KEY_HEADER,
    SIGV4,
)
from tidegate.definition.openapi.imported import ImportedApi, Malformed
from tidegate.definition.openapi.references import References
from tidegate.definition.openapi.values import integer, listing, mapping, text, texts
from tidegate.definition.records import Authorizer

_NOT_TEXT = ("authorizerResultTtlInSeconds", "providerARNs")


@dataclass(frozen=True, slots=True)
class Guard:
    """What stands before a method; `authorizer` is a name."""

    authorization_type: str = "NONE"
    authorizer: str | None = None
    scopes: tuple[str, ...] = ()
    api_key_required: bool = False


class Security:
    def __init__(self, document: dict[str, Any], references: References, imported: ImportedApi) -> None:
        components = mapping(document.get("components"), "components")
        given = document.get("securityDefinitions", components.get("securitySchemes"))
        self._schemes: dict[str, dict[str, Any]] = {}
        self._broken: set[str] = set()
        self._imported = imported
        self._global = document.get("security")
        for name, scheme in mapping(given, "security schemes").items():
            with imported.part():
                self._schemes[name] = references.resolve(scheme, f"security scheme {name}")

    def read_authorizers(self) -> None:
        for name, scheme in self._schemes.items():
            if AUTHORIZER in scheme:
                self._broken.add(name)
                with self._imported.part():
                    self._imported.authorizers[name] = self._authorizer(name, scheme)
                    self._broken.discard(name)

    def guard(self, operation: dict[str, Any], where: str) -> Guard:
        """Raises Malformed."""
        guard = Guard(self._own_type(operation, where))
        # AWS [rec]: the security of the root holds for operations without their own.
        given = self._global if operation.get("security") is None else operation["security"]
        for number, requirement in enumerate(listing(given, f"{where}: security")):
            for name, scopes in mapping(requirement, f"{where}: security {number}").items():
                guard = self._with(guard, name, texts(scopes, f"{where}: scopes of {name}"), where)
        return guard

    def _own_type(self, operation: dict[str, Any], where: str) -> str:
        auth = mapping(operation.get(AUTH), f"{where}: {AUTH}")
        kind = (text(auth.get("type"), f"{where}: {AUTH}.type") or "NONE").upper()
        if kind not in ("NONE", "AWS_IAM"):
            raise Malformed(f"Invalid OpenAPI input: {where}: type of {AUTH} must be NONE or AWS_IAM, not {kind}")
        return kind

    def _with(self, guard: Guard, name: str, scopes: list[str], where: str) -> Guard:
        """The guard, with what one scheme asks for in addition."""
        scheme = self._schemes.get(name)
        if scheme is None:
            self._imported.warn(
                f"Reference to security scheme '{name}' not found. Ignoring. ({where} is not guarded by it)"
            )
            return guard
        authtype = text(scheme.get(AUTHTYPE), f"security scheme {name}: {AUTHTYPE}")
        if (authtype or "").lower() == SIGV4.lower():
            return self._settled(guard, Guard("AWS_IAM", api_key_required=guard.api_key_required), name, where)
        if name in self._broken or AUTHORIZER in scheme or authtype:
            return self._settled(guard, self._authorized(guard, name, authtype, scopes, where), name, where)
        if scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == KEY_HEADER:
            return Guard(guard.authorization_type, guard.authorizer, guard.scopes, api_key_required=True)
        kind = scheme.get("type")
        self._imported.warn(
            f"Unsupported security definition type '{kind}' for '{name}'. Ignoring. ({where} is not guarded by it)"
        )
        return guard

    def _authorized(self, guard: Guard, name: str, authtype: str | None, scopes: list[str], where: str) -> Guard:
        """By an authorizer: the file's, or (a scheme with an `authtype` alone) one of that name that the API has already."""
        record = self._imported.authorizers.get(name)
        pools = record.type == "COGNITO_USER_POOLS" if record else authtype == "cognito_user_pools"
        if scopes and not pools:
            self._imported.note(f"{where}: scopes of {name} have no effect, only user pools have them")
        return Guard(
            "COGNITO_USER_POOLS" if pools else "CUSTOM",
            name,
            tuple(scopes) if pools else (),
            guard.api_key_required,
        )

    def _settled(self, before: Guard, after: Guard, name: str, where: str) -> Guard:
        """A method has one authorization; of several alternatives the first stays."""
        if before.authorization_type == "NONE" or before.authorizer == after.authorizer:
            return after
        self._imported.warn(f"{where} has more than one kind of authorization. Ignoring '{name}'.")
        return before

    # --- authorizers -------------------------------------------------------------------------------------------------

    def _authorizer(self, name: str, scheme: dict[str, Any]) -> Authorizer:
        place = f"security scheme {name}: {AUTHORIZER}"
        given = mapping(scheme[AUTHORIZER], place)
        kind = text(given.get("type"), f"{place}.type") or ""
        if kind.lower() not in AUTHORIZER_TYPES:
            raise Malformed(f"Unable to create authorizer '{name}': Unsupported authorizer type '{kind}'")
        for key in given.keys() - AUTHORIZER_MEMBERS.keys() - {"type"}:
            self._imported.warn(f"Ignoring {key} of {place}: REST APIs have no such member")
        strings = {
            field: text(given.get(key), f"{place}.{key}")
            for key, field in AUTHORIZER_MEMBERS.items()
            if key not in _NOT_TEXT
        }
        record_type = AUTHORIZER_TYPES[kind.lower()]
        source = strings.pop("identity_source") or self._identity_source(scheme, record_type)
        authtype = text(scheme.get(AUTHTYPE), f"security scheme {name}: {AUTHTYPE}")
        return Authorizer(
            api_id="",
            id="",
            name=name,
            type=record_type,
            auth_type=authtype or ("cognito_user_pools" if record_type == "COGNITO_USER_POOLS" else "custom"),
            identity_source=source,
            authorizer_result_ttl_in_seconds=integer(
                given.get("authorizerResultTtlInSeconds"), f"{place}.authorizerResultTtlInSeconds"
            ),
            provider_arns=texts(given.get("providerARNs"), f"{place}.providerARNs") or None,
            **strings,
        )

    @staticmethod
    def _identity_source(scheme: dict[str, Any], kind: str) -> str | None:
        """AWS: for TOKEN and user pools, the header that the scheme itself names."""
        name = scheme.get("name")
        if kind == "REQUEST" or scheme.get("in") != "header" or not isinstance(name, str):
            return None
        return f"method.request.header.{name}"
