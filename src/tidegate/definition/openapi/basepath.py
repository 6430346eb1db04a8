"""The base path of a file and what an import makes of it. Source: *Set the OpenAPI basePath property for REST APIs*."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from tidegate.definition.openapi.imported import OpenApiError
from tidegate.definition.openapi.values import listing, mapping, text

_MODES = ("ignore", "prepend", "split")
_VARIABLE = re.compile(r"\{([^}]*)\}")


def prefix(document: dict[str, Any], mode: str) -> str:
    """What stands before every path of the file: empty or `/a/b`. Raises OpenApiError, Malformed."""
    if mode not in _MODES:
        raise OpenApiError(f"Invalid basepath specified: {mode}. Must be one of: [{', '.join(_MODES)}]")
    segments = [segment for segment in _base_path(document).split("/") if segment]
    if mode == "ignore":
        return ""
    # AWS: split takes the first segment for a stage's name, which it leaves out.
    return "".join(f"/{segment}" for segment in (segments[1:] if mode == "split" else segments))


def _base_path(document: dict[str, Any]) -> str:
    if "swagger" in document:
        return text(document.get("basePath"), "basePath") or ""
    servers = [mapping(server, "servers") for server in listing(document.get("servers"), "servers")]
    for server in servers:
        variable = mapping(server.get("variables"), "variables of servers").get("basePath")
        if variable is not None:
            return text(mapping(variable, "variable basePath").get("default"), "variable basePath") or ""
    return _url_path(servers[0]) if servers else ""


def _url_path(server: dict[str, Any]) -> str:
    variables = mapping(server.get("variables"), "variables of servers")

    def default(found: re.Match[str]) -> str:
        given = mapping(variables.get(found[1]), f"variable {found[1]}").get("default")
        return text(given, f"variable {found[1]}") or ""

    url = _VARIABLE.sub(default, text(server.get("url"), "url of servers") or "")
    try:
        return urlsplit(url).path
    except ValueError:
        raise OpenApiError(f"Invalid OpenAPI input: {url} is no URL of a server") from None
