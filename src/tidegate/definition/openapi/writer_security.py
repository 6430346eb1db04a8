"""Security in a written file: the schemes, and what each method asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from tidegate.definition.openapi import extensions as ext
from tidegate.definition.openapi.imported import OpenApiError
from tidegate.definition.openapi.writer_documentation import Documentation
from tidegate.definition.records import Authorizer, DeploymentDocument, Method

_HEADER = "method.request.header."
_POOLS = "COGNITO_USER_POOLS"


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


def distinct_names(records: Iterable[_Named]) -> dict[str, str]:
    """By id. A file knows its parts by name: the second of a name gets its id attached."""
    names: dict[str, str] = {}
    for record in sorted(records, key=lambda record: (record.name, record.id)):
        names[record.id] = record.name if record.name not in names.values() else f"{record.name}-{record.id}"
    return names


class Security:
    def __init__(
        self, document: DeploymentDocument, documentation: Documentation, *, authorizers: bool, vendor: bool
    ) -> None:
        """`authorizers`: their definitions are written. `vendor`: extensions are written at all."""
        self._authorizers = {authorizer.id: authorizer for authorizer in document.authorizers}
        self._names = distinct_names(document.authorizers)
        self._documentation = documentation
        self._defined = authorizers
        self._vendor = vendor
        taken = set(self._names.values())
        self._api_key, self._sigv4 = _free("api_key", taken), _free("sigv4", taken)
        self._used: set[str] = set(taken) if authorizers else set()

    def requirements(self, method: Method) -> list[dict[str, list[str]]]:
        """AWS: one requirement each, though all of them must be met. Raises OpenApiError."""
        found: list[dict[str, list[str]]] = []
        if method.authorization_type == "AWS_IAM":
            found.append({self._sigv4: []})
        elif method.authorization_type != "NONE":
            name = self._names.get(method.authorizer_id or "")
            if name is None:
                # Left out, it would be an open method where the file is imported.
                raise OpenApiError(f"Invalid Authorizer identifier specified: {method.authorizer_id}")
            found.append({name: list(method.authorization_scopes or ())})
        if method.api_key_required:
            found.append({self._api_key: []})
        self._used.update(name for requirement in found for name in requirement)
        return found

    def schemes(self) -> dict[str, Any]:
        schemes = {self._names[key]: self._authorizer(self._authorizers[key]) for key in self._authorizers}
        schemes[self._api_key] = _scheme(ext.KEY_HEADER)
        schemes[self._sigv4] = _scheme("Authorization") | self._authtype(ext.SIGV4)
        return {name: schemes[name] for name in sorted(schemes) if name in self._used}

    def _authtype(self, value: str) -> dict[str, str]:
        return {ext.AUTHTYPE: value} if self._vendor else {}

    def _authorizer(self, authorizer: Authorizer) -> dict[str, Any]:
        header = _header(authorizer)
        # AWS: a REQUEST authorizer has its sources in the extension, and a name that says so.
        scheme = _scheme("Unused" if authorizer.type == "REQUEST" else header or "Authorization")
        scheme |= self._documentation.texts("AUTHORIZER", name=authorizer.name)
        scheme |= self._authtype(
            authorizer.auth_type or ("cognito_user_pools" if authorizer.type == _POOLS else "custom")
        )
        if self._defined:
            scheme[ext.AUTHORIZER] = _definition(authorizer, with_source=header is None)
        return scheme


def _definition(authorizer: Authorizer, *, with_source: bool) -> dict[str, Any]:
    members = {name: getattr(authorizer, field) for name, field in ext.AUTHORIZER_MEMBERS.items()}
    if not with_source:
        del members["identitySource"]
    written = {"type": authorizer.type.lower(), **members}
    return {name: value for name, value in written.items() if value not in (None, [])}


def _header(authorizer: Authorizer) -> str | None:
    """The header that the scheme names; None: the sources stand in the extension."""
    source = authorizer.identity_source or ""
    if authorizer.type == "REQUEST" or not source.startswith(_HEADER) or "," in source:
        return None
    return source.removeprefix(_HEADER)


def _scheme(header: str) -> dict[str, Any]:
    return {"type": "apiKey", "name": header, "in": "header"}


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    return name
