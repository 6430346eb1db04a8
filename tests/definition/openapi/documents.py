"""Deployment documents for tests: hypothesis strategies, and an imported file laid out as a document again.

Ids are made of names (`V:all` is the validator `all`), so that a document that was written and read can be equal to itself.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tidegate.definition.openapi import ImportedApi
from tidegate.definition.openapi.imported import UNKNOWN_API
from tidegate.definition.records import (
    Authorizer,
    DeploymentDocument,
    DocumentationLocation,
    DocumentationPart,
    EndpointConfiguration,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    Method,
    MethodResponse,
    Model,
    RequestValidator,
    Resource,
    RestApi,
    Stage,
    TlsConfig,
)

API = "api1234567"
STAGE = Stage(api_id=API, stage_name="prod", deployment_id="d", created_date=0, last_updated_date=0)


def url(name: str) -> str:
    return f"https://apigateway.amazonaws.com/restapis/{API}/models/{name}"


def model(name: str, schema: Any, content_type: str = "application/json") -> Model:
    description = schema.get("description")
    return Model(
        api_id=API, id="", name=name, content_type=content_type, schema=json.dumps(schema), description=description
    )


# --- strategies ------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
words = st.text("abcxyzABC019", min_size=1, max_size=5)
headers = st.text("abcXYZ-09", min_size=1, max_size=6).map(lambda text: f"X{text}")
media_types = st.sampled_from(["application/json", "application/xml", "text/html", "application/vnd.a+json"])
statuses = st.sampled_from(["200", "201", "302", "400", "404", "500"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def mappings(keys: Any, values: Any, *, most: int = 3) -> st.SearchStrategy[Any]:
    """None instead of an empty one, as records have it."""
    return st.dictionaries(keys, values, max_size=most).map(lambda made: made or None)


@st.composite
def schemas(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """References anywhere, circles among them."""
    leaf = st.sampled_from(
        [{"type": "string"}, {"type": "integer", "minimum": 1}, {"enum": [{"$ref": "#/data"}, None]}]
    )
    inner = leaf | st.sampled_from(names).map(lambda name: {"$ref": url(name)})
    members = draw(st.dictionaries(words | st.just("$ref"), inner, min_size=1, max_size=3))
    extra = draw(st.dictionaries(st.sampled_from(["title", "description"]), texts, max_size=2))
    lists = draw(
        st.dictionaries(st.sampled_from(["allOf", "anyOf"]), st.lists(inner, min_size=1, max_size=2), max_size=1)
    )
    items = draw(maybe(inner))
    array = {"list": {"type": "array", "items": items}} if items else {}
    return {"type": "object", **extra, "properties": {**members, **array}, **lists}


@st.composite
def integrations(draw: st.DrawFn) -> Integration:
    kind = draw(st.sampled_from(["AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"]))
    link = kind.startswith("HTTP") and draw(st.booleans())
    patterns = draw(st.dictionaries(statuses, maybe(texts.filter(lambda text: text != "default")), max_size=3))
    responses = {}
    for status, pattern in patterns.items():
        if pattern not in {response.selection_pattern for response in responses.values()}:
            responses[status] = IntegrationResponse(
                status_code=status,
                selection_pattern=pattern,
                response_parameters=draw(mappings(headers.map("method.response.header.{}".format), texts)),
                response_templates=draw(mappings(media_types, maybe(texts))),
                content_handling=draw(st.sampled_from([None, "CONVERT_TO_TEXT", "CONVERT_TO_BINARY"])),
            )
    return Integration(
        type=kind,
        http_method=None if kind == "MOCK" else draw(st.sampled_from(["GET", "POST", "ANY"])),
        uri=draw(maybe(texts)),
        connection_type=("VPC_LINK" if link else "INTERNET") if kind.startswith("HTTP") else None,
        connection_id=draw(texts) if link else None,
        credentials=draw(maybe(texts)),
        request_parameters=draw(mappings(headers.map("integration.request.header.{}".format), texts)),
        request_templates=draw(mappings(media_types, maybe(texts))),
        passthrough_behavior=draw(st.sampled_from(["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"])),
        content_handling=draw(st.sampled_from([None, "CONVERT_TO_TEXT"])),
        timeout_in_millis=draw(st.sampled_from([29000, 50, 1234])),
        cache_namespace=draw(maybe(words)),
        cache_key_parameters=draw(st.lists(texts, max_size=2)),
        integration_responses=responses or None,
        tls_config=draw(st.sampled_from([None, TlsConfig(), TlsConfig(insecure_skip_verification=True)])),
        response_transfer_mode=draw(st.sampled_from(["BUFFERED", "STREAM"])),
        integration_target=draw(maybe(texts)),
    )


@st.composite
def methods(draw: st.DrawFn, path: str, verb: str, parts: dict[str, list[str]], version: str) -> Method:
    authorization = draw(st.sampled_from(["NONE", "AWS_IAM", *parts["authorizers"]]))
    pools = authorization.startswith("pool")
    guarded = authorization not in ("NONE", "AWS_IAM")
    given = draw(st.dictionaries(headers, st.sampled_from(["path", "querystring", "header"]), max_size=3))
    bodies = _bodies(version, parts["models"])
    integration = draw(integrations())
    return Method(
        api_id=API,
        resource_id=f"R:{path}",
        http_method=verb,
        authorization_type=("COGNITO_USER_POOLS" if pools else "CUSTOM") if guarded else authorization,
        authorizer_id=f"A:{authorization}" if guarded else None,
        api_key_required=draw(st.booleans()),
        request_validator_id=draw(st.sampled_from([None, *(f"V:{name}" for name in parts["validators"])])),
        operation_name=draw(maybe(words)),
        request_parameters={
            f"method.request.{place}.{name}": place == "path" or draw(st.booleans()) for name, place in given.items()
        }
        or None,
        request_models=draw(bodies),
        authorization_scopes=draw(maybe(st.lists(words, min_size=1, max_size=2))) if pools else None,
        method_responses=draw(
            st.dictionaries(statuses, st.just(None), max_size=3).flatmap(
                lambda made: st.fixed_dictionaries({status: _method_responses(status, bodies) for status in made})
            )
        )
        or None,
        method_integration=replace(integration, cache_namespace=integration.cache_namespace or f"R:{path}"),
    )


def _bodies(version: str, models: list[str]) -> st.SearchStrategy[Any]:
    """Swagger 2.0 can say one model for JSON alone, whatever the other bodies of the operation are."""
    media = st.just("application/json") if version == "swagger" else media_types
    return mappings(media, st.sampled_from(models))


def _method_responses(status: str, bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[MethodResponse]:
    return st.builds(
        MethodResponse,
        status_code=st.just(status),
        response_parameters=mappings(headers.map("method.response.header.{}".format), st.just(False)),
        response_models=bodies,
    )


@st.composite
def authorizers(draw: st.DrawFn, name: str) -> Authorizer:
    kind = "COGNITO_USER_POOLS" if name.startswith("pool") else draw(st.sampled_from(["TOKEN", "REQUEST"]))
    header = f"method.request.header.{draw(headers)}"
    source = maybe(st.sampled_from([header, f"{header},context.path"])) if kind == "REQUEST" else st.just(header)
    return Authorizer(
        api_id=API,
        id=f"A:{name}",
        name=name,
        type=kind,
        provider_arns=draw(maybe(st.lists(texts, min_size=1, max_size=2))) if name.startswith("pool") else None,
        auth_type="cognito_user_pools" if name.startswith("pool") else draw(st.sampled_from(["custom", "oauth2"])),
        authorizer_uri=draw(maybe(texts)),
        authorizer_credentials=draw(maybe(texts)),
        identity_source=draw(source),
        identity_validation_expression=draw(maybe(texts)),
        authorizer_result_ttl_in_seconds=draw(st.sampled_from([None, 0, 300, 3600])),
    )


apis = st.builds(
    RestApi,
    id=st.just(API),
    name=texts,
    root_resource_id=st.just("R:/"),
    created_date=st.just(1_500_000_000),
    description=maybe(texts),
    version=texts,
    binary_media_types=maybe(st.lists(texts, min_size=1, max_size=2, unique=True)),
    minimum_compression_size=st.sampled_from([None, 0, 1024]),
    api_key_source=st.sampled_from(["HEADER", "AUTHORIZER"]),
    endpoint_configuration=st.builds(
        EndpointConfiguration, vpc_endpoint_ids=maybe(st.lists(words, min_size=1, max_size=2))
    ),
    policy=maybe(st.just('{"Version": "2012-10-17", "Statement": []}')),
    disable_execute_api_endpoint=st.booleans(),
    security_policy=maybe(words),
    endpoint_access_mode=st.sampled_from([None, "BASIC", "STRICT"]),
)


@st.composite
def documents(draw: st.DrawFn, version: str) -> DeploymentDocument:
    """Those that a file can say completely."""
    parts = {
        "models": sorted(draw(st.sets(words, min_size=1, max_size=3))),
        "validators": sorted(draw(st.sets(texts, max_size=2))),
        "authorizers": sorted(
            draw(st.sets(st.sampled_from(["lambda", "api_key", "sigv4", "pool1", "pool2"]), max_size=3))
        ),
    }
    segments = st.lists(st.sampled_from(["a", "b-c", "{id}", "x.y"]), min_size=1, max_size=3)
    paths = draw(st.lists(segments.map(lambda given: "/" + "/".join(given)) | st.just("/"), unique=True, max_size=3))
    verbs = st.sets(st.sampled_from(["GET", "POST", "ANY"]), min_size=1, max_size=2)
    made = [draw(methods(path, verb, parts, version)) for path in sorted(paths) for verb in sorted(draw(verbs))]
    return DeploymentDocument(
        api=draw(apis),
        resources=resources({path for path in paths if path != "/"}),
        methods=made,
        models=[model(name, draw(schemas(parts["models"]))) for name in parts["models"]],
        request_validators=[
            RequestValidator(
                api_id=API,
                id=f"V:{name}",
                name=name,
                validate_request_body=draw(st.booleans()),
                validate_request_parameters=draw(st.booleans()),
            )
            for name in parts["validators"]
        ],
        authorizers=[draw(authorizers(name)) for name in parts["authorizers"]],
        gateway_responses=[
            GatewayResponse(
                api_id=API,
                response_type=kind,
                status_code=draw(maybe(statuses)),
                response_parameters=draw(
                    st.dictionaries(headers.map("gatewayresponse.header.{}".format), texts, max_size=2)
                ),
                response_templates=draw(st.dictionaries(media_types, texts, max_size=2)),
            )
            for kind in sorted(draw(st.sets(st.sampled_from(["DEFAULT_4XX", "THROTTLED", "UNAUTHORIZED"]), max_size=2)))
        ],
    )


parts = st.lists(
    st.builds(
        DocumentationPart,
        api_id=st.just(API),
        id=st.just(""),
        location=st.sampled_from(
            [
                DocumentationLocation(type="API"),
                DocumentationLocation(type="METHOD", path="/a", method="GET"),
                DocumentationLocation(type="MODEL", name="a"),
                DocumentationLocation(type="RESPONSE", status_code="200"),
                DocumentationLocation(type="RESOURCE", path="/a"),
            ]
        ),
        properties=st.dictionaries(st.sampled_from(["description", "info", "x-mine"]), texts, min_size=1).map(
            json.dumps
        ),
    ),
    unique_by=lambda part: part.location,
    max_size=3,
)


# --- and back --------------------------------------------------------------------------------------------------------


def resources(paths: set[str]) -> list[Resource]:
    """All that the paths need, the root included, by path."""
    needed = {"/"}
    for path in paths:
        pieces = path.strip("/").split("/")
        needed |= {"/" + "/".join(pieces[:end]) for end in range(1, len(pieces) + 1)}
    return [_resource(path) for path in sorted(needed)]


def _resource(path: str) -> Resource:
    if path == "/":
        return Resource(api_id=API, id="R:/", path="/")
    above, _, part = path.rpartition("/")
    return Resource(api_id=API, id=f"R:{path}", path=path, parent_id=f"R:{above or '/'}", path_part=part)


def laid_out(imported: ImportedApi, like: RestApi) -> DeploymentDocument:
    """What an import makes of a file, as a document with ids made of names. `like`: what files do not say."""
    settings = {name: value for name, value in imported.settings.items() if value is not None}
    fresh = RestApi(id=API, name="", root_resource_id="R:/", created_date=like.created_date)
    endpoint = EndpointConfiguration(vpc_endpoint_ids=imported.vpc_endpoint_ids)
    return DeploymentDocument(
        api=replace(fresh, endpoint_configuration=endpoint, **settings),
        resources=resources({path for path in imported.operations if path != "/"}),
        methods=[
            _method(method, path, verb)
            for path, by_verb in sorted(imported.operations.items())
            for verb, method in sorted(by_verb.items())
        ],
        models=[
            replace(made, api_id=API, schema=(made.schema or "").replace(UNKNOWN_API, API))
            for _, made in sorted(imported.models.items())
        ],
        request_validators=[
            replace(made, api_id=API, id=f"V:{name}") for name, made in sorted(imported.request_validators.items())
        ],
        authorizers=[replace(made, api_id=API, id=f"A:{name}") for name, made in sorted(imported.authorizers.items())],
        gateway_responses=[replace(made, api_id=API) for _, made in sorted(imported.gateway_responses.items())],
    )


def _method(method: Method, path: str, verb: str) -> Method:
    integration = method.method_integration
    if integration is not None:
        integration = replace(integration, cache_namespace=integration.cache_namespace or f"R:{path}")
    return replace(
        method,
        api_id=API,
        resource_id=f"R:{path}",
        http_method=verb,
        authorizer_id=method.authorizer_id and f"A:{method.authorizer_id}",
        request_validator_id=method.request_validator_id and f"V:{method.request_validator_id}",
        method_integration=integration,
    )
