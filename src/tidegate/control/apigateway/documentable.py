"""Every entity of an API that a documentation part may describe, as a location.

Source: *Representation of API documentation in API Gateway*.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.control.apigateway.lookup import methods_with_paths
from tidegate.control.context import Context
from tidegate.definition.records import Authorizer, DocumentationLocation, Method, Model, Resource

_PARAMETERS = {"path": "PATH_PARAMETER", "querystring": "QUERY_PARAMETER", "header": "REQUEST_HEADER"}


def documentable(context: Context, api_id: str) -> Iterator[DocumentationLocation]:
    yield DocumentationLocation(type="API")
    for authorizer in context.tx.list(Authorizer, api_id):
        yield DocumentationLocation(type="AUTHORIZER", name=authorizer.name)
    for model in context.tx.list(Model, api_id):
        yield DocumentationLocation(type="MODEL", name=model.name)
    for resource in context.tx.list(Resource, api_id):
        yield DocumentationLocation(type="RESOURCE", path=resource.path)
    for path, method in methods_with_paths(context, api_id):
        yield from _of_method(path, method)


def _of_method(path: str, method: Method) -> Iterator[DocumentationLocation]:
    verb = "*" if method.http_method == "ANY" else method.http_method
    yield DocumentationLocation(type="METHOD", path=path, method=verb)
    for parameter in method.request_parameters or {}:
        _, _, where, name = parameter.split(".", 3)
        yield DocumentationLocation(type=_PARAMETERS[where], path=path, method=verb, name=name)
    if method.request_models:
        yield DocumentationLocation(type="REQUEST_BODY", path=path, method=verb)
    for status, response in (method.method_responses or {}).items():
        yield DocumentationLocation(type="RESPONSE", path=path, method=verb, status_code=status)
        for header in response.response_parameters or {}:
            name = header.removeprefix("method.response.header.")
            yield DocumentationLocation(type="RESPONSE_HEADER", path=path, method=verb, status_code=status, name=name)
        if response.response_models:
            yield DocumentationLocation(type="RESPONSE_BODY", path=path, method=verb, status_code=status)
