"""`x-amazon-apigateway-integration` → Integration, with the responses keyed by selection pattern turned round.

Whether the values are ones that API Gateway takes is checked where PutIntegration checks them (control).
Source: *x-amazon-apigateway-integration object* and the pages below it.
"""

from __future__ import annotations

from typing import Any

from tidegate.definition.openapi.extensions import DEFAULT_RESPONSE, INTEGRATION_MEMBERS
from tidegate.definition.openapi.imported import ImportedApi, Malformed
from tidegate.definition.openapi.values import flag, integer, mapping, text, text_map, texts
from tidegate.definition.records import Integration, IntegrationResponse, TlsConfig

_TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")
_KNOWN = frozenset(INTEGRATION_MEMBERS) | {"type", "httpMethod", "responses", "tlsConfig"}
_KNOWN_RESPONSE = frozenset(("statusCode", "responseParameters", "responseTemplates", "contentHandling"))
_UPPER = ("passthroughBehavior", "contentHandling", "connectionType", "responseTransferMode")


def read_integration(value: Any, path: str, verb: str, imported: ImportedApi) -> Integration:
    """Raises Malformed."""
    try:
        return _integration(value, f"the integration of {verb} {path}", imported)
    except Malformed as error:
        # AWS [rec], with what is wrong behind it.
        reason = str(error).removeprefix("Invalid OpenAPI input: ")
        text = f"Unable to parse API definition because of a malformed integration at path {path}. ({reason})"
        raise Malformed(text) from None


def _integration(value: Any, where: str, imported: ImportedApi) -> Integration:
    if not isinstance(value, dict):
        raise Malformed(f"{where} must be an object")
    for key in value:
        if key not in _KNOWN:
            imported.warn(f"Ignoring {key} of {where}: REST APIs have no such member")
    kind = (text(value.get("type"), f"type of {where}") or "").upper()
    if kind not in _TYPES:
        raise Malformed(f"Invalid integration type specified: {value.get('type')} ({where})")
    verb = text(value.get("httpMethod"), f"httpMethod of {where}")
    strings = {key: text(value.get(key), f"{key} of {where}") for key in INTEGRATION_MEMBERS if key not in _NOT_TEXT}
    strings |= {key: (strings[key] or "").upper() or None for key in _UPPER}
    timeout = integer(value.get("timeoutInMillis"), f"timeoutInMillis of {where}")
    tls = value.get("tlsConfig")
    return Integration(
        type=kind,
        http_method=verb.upper() if verb and kind != "MOCK" else None,
        uri=strings["uri"],
        connection_type=strings["connectionType"] or ("INTERNET" if kind.startswith("HTTP") else None),
        connection_id=strings["connectionId"],
        credentials=strings["credentials"],
        request_parameters=text_map(value.get("requestParameters"), f"requestParameters of {where}") or None,
        request_templates=_templates(value.get("requestTemplates"), f"requestTemplates of {where}"),
        passthrough_behavior=strings["passthroughBehavior"] or "WHEN_NO_MATCH",
        content_handling=strings["contentHandling"],
        timeout_in_millis=29000 if timeout is None else timeout,
        cache_namespace=strings["cacheNamespace"],
        cache_key_parameters=texts(value.get("cacheKeyParameters"), f"cacheKeyParameters of {where}"),
        integration_responses=_responses(value.get("responses"), where, imported),
        tls_config=None if tls is None else _tls(tls, f"tlsConfig of {where}", imported),
        response_transfer_mode=strings["responseTransferMode"] or "BUFFERED",
        integration_target=strings["integrationTarget"],
    )


_NOT_TEXT = ("timeoutInMillis", "cacheKeyParameters", "requestParameters", "requestTemplates")


def _tls(value: Any, place: str, imported: ImportedApi) -> TlsConfig:
    given = mapping(value, place)
    for key in given.keys() - {"insecureSkipVerification"}:
        imported.warn(f"Ignoring {key} of {place}: REST APIs have no such member")
    return TlsConfig(insecure_skip_verification=flag(given.get("insecureSkipVerification"), place))


def _templates(value: Any, place: str) -> dict[str, str | None] | None:
    """A template may be null: the body is passed through for its content type."""
    return {name: text(item, f"{place}.{name}") for name, item in mapping(value, place).items()} or None


def _responses(value: Any, where: str, imported: ImportedApi) -> dict[str, IntegrationResponse] | None:
    """The key is the selection pattern; the literal `default` means no pattern."""
    made: dict[str, IntegrationResponse] = {}
    for pattern, given in mapping(value, f"responses of {where}").items():
        at = f"response {pattern} of {where}"
        response = mapping(given, at)
        for key in response.keys() - _KNOWN_RESPONSE:
            imported.warn(f"Ignoring {key} of {at}: REST APIs have no such member")
        status = text(response.get("statusCode"), f"statusCode of {at}") or "200"
        if status in made:
            # API Gateway keeps one response for a status. Which one an import keeps is unverified.
            other = made[status].selection_pattern or DEFAULT_RESPONSE
            imported.warn(f"Ignoring response {other} of {where}: response {pattern} gives status {status} too")
        handling = text(response.get("contentHandling"), f"contentHandling of {at}")
        made[status] = IntegrationResponse(
            status_code=status,
            selection_pattern=None if pattern == DEFAULT_RESPONSE else pattern,
            response_parameters=text_map(response.get("responseParameters"), f"responseParameters of {at}") or None,
            response_templates=_templates(response.get("responseTemplates"), f"responseTemplates of {at}"),
            content_handling=handling.upper() if handling else None,
        )
    return made or None
