"""What is written can be read: nothing gets lost on the way, and writing again gives the same file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.definition.openapi.documents import (
    API,
    STAGE,
    documents,
    laid_out,
    model,
    parts,
    resources,
    url,
)
from tidegate.aws.scope import Scope
from tidegate.control.apigateway.exports import to_yaml
from tidegate.definition.openapi import ImportedApi, OpenApiError, read_openapi
from tidegate.definition.openapi.writer import Version, write_openapi
from tidegate.definition.records import (
    Authorizer,
    DeploymentDocument,
    Integration,
    IntegrationResponse,
    Method,
    MethodResponse,
    Model,
    RequestValidator,
    RestApi,
)

SCOPE = Scope("000000000000", "us-east-1")
VERSIONS: tuple[Version, ...] = ("swagger", "oas30")
FORMATS = {"json": json.dumps, "yaml": to_yaml}

thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def write(document: DeploymentDocument, version: Version, **options: Any) -> dict[str, Any]:
    return write_openapi(document, STAGE, SCOPE, version=version, **{"extensions": {"apigateway"}, **options})


def read(written: dict[str, Any], form: str = "json") -> ImportedApi:
    imported = read_openapi(FORMATS[form](written).encode(), account=SCOPE.account, region=SCOPE.region, options={})
    assert imported.warnings == []
    return imported


def comparable(document: DeploymentDocument) -> DeploymentDocument:
    """Schemas are compared as values, not as text; so is the policy."""
    models = [replace(made, id="", schema=json.dumps(json.loads(made.schema or "{}"))) for made in document.models]
    policy = document.api.policy and json.dumps(json.loads(document.api.policy))
    return replace(document, models=models, api=replace(document.api, policy=policy))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("version", VERSIONS)
@thorough
@given(data=st.data())
def test_nothing_gets_lost(version: Version, form: str, data: st.DataObject) -> None:
    document = data.draw(documents(version))
    read_back = laid_out(read(write(document, version), form), document.api)
    assert comparable(read_back) == comparable(document)


@pytest.mark.parametrize("version", VERSIONS)
@thorough
@given(data=st.data(), documentation=parts)
def test_documentation_does_not_get_lost(version: Version, data: st.DataObject, documentation: list[Any]) -> None:
    document = data.draw(documents(version))
    stage = replace(STAGE, documentation_version="1.0")
    options: dict[str, Any] = {"version": version, "extensions": {"apigateway"}}
    once = write_openapi(document, stage, SCOPE, documentation=documentation, **options)
    imported = read(once)
    again = write_openapi(
        laid_out(imported, document.api), stage, SCOPE, documentation=imported.documentation, **options
    )
    assert again == once
    assert imported.documentation_version == ("1.0" if documentation else None)


# --- what a file cannot say as it stands: written so that it means the same, and stable from then on ----------------


def api(**options: Any) -> RestApi:
    return RestApi(id=API, name="n", root_resource_id="R:/", created_date=1_500_000_000, **options)


def one_method(models: list[Model] | None = None, path: str = "/a", **options: Any) -> DeploymentDocument:
    options.setdefault("method_integration", Integration(type="MOCK"))
    method = Method(api_id=API, resource_id=f"R:{path}", http_method="POST", **options)
    return DeploymentDocument(api=api(), resources=resources({path}), methods=[method], models=models or [])


def responses(*given: tuple[str, str | None]) -> dict[str, IntegrationResponse]:
    return {status: IntegrationResponse(status_code=status, selection_pattern=pattern) for status, pattern in given}


def integrated(*given: tuple[str, str | None]) -> DeploymentDocument:
    return one_method(method_integration=Integration(type="MOCK", integration_responses=responses(*given)))


LEAVES = {
    "type": "object",
    "definitions": {"Leaf": {"type": "string"}},
    "properties": {"a": {"$ref": "#/definitions/Leaf"}},
}
CIRCLE = {
    "type": "object",
    "definitions": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/definitions/Node"}}}},
    "properties": {"first": {"$ref": "#/definitions/Node"}},
}
PAIR = [model("A", {"properties": {"b": {"$ref": url("B")}}}), model("B", {"properties": {"a": {"$ref": url("A")}}})]
EMPTY = model(
    "Empty", {"$schema": "http://json-schema.org/draft-04/schema#", "title": "Empty Schema", "type": "object"}
)

UNEVEN = {
    "two defaults": integrated(("200", None), ("400", None)),
    "an empty pattern": integrated(("200", "")),
    "two of a pattern": integrated(("400", "4.*"), ("404", "4.*"), ("200", None)),
    "a pattern that reads like the default": integrated(("200", None), ("400", "default")),
    "a path parameter that need not be there": one_method(
        path="/{a}", request_parameters={"method.request.path.a": False}
    ),
    "a response header that must be there": one_method(
        method_responses={
            "200": MethodResponse(status_code="200", response_parameters={"method.response.header.A": True})
        }
    ),
    "an API without a version": one_method(),
    "a circle of models": one_method(PAIR, request_models={"application/json": "A"}),
    "a model of itself": one_method([model("A", {"properties": {"a": {"$ref": "#"}}})]),
    "definitions within a model": one_method([model("A", LEAVES)]),
    "a circle within a model": one_method([model("A", CIRCLE)]),
    "the draft of a schema": one_method([EMPTY], request_models={"application/json": "Empty"}),
    "two media types, two models": one_method(PAIR, request_models={"application/json": "A", "application/xml": "B"}),
    "no JSON": one_method(PAIR, request_models={"text/html": "A"}),
    "two responses, two media types": one_method(
        PAIR,
        method_responses={
            "200": MethodResponse(status_code="200", response_models={"application/json": "A"}),
            "400": MethodResponse(status_code="400", response_models={"text/html": "B"}),
        },
    ),
    "no integration": one_method(method_integration=None),
    "twice the same name": replace(
        one_method(request_validator_id="2"),
        request_validators=[
            RequestValidator(api_id=API, id="1", name="v", validate_request_body=True),
            RequestValidator(api_id=API, id="2", name="v"),
        ],
    ),
    "a token without a source": replace(
        one_method(authorization_type="CUSTOM", authorizer_id="1"),
        authorizers=[Authorizer(api_id=API, id="1", name="t", type="TOKEN")],
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", UNEVEN)
def test_writing_what_was_read_gives_the_same_file(version: Version, case: str) -> None:
    once = write(UNEVEN[case], version)
    assert write(laid_out(read(once), UNEVEN[case].api), version) == once


def test_what_never_answers_is_left_out() -> None:
    def patterns(case: str) -> dict[str, str]:
        method = write(UNEVEN[case], "oas30")["paths"]["/a"]["post"]
        written = method["x-amazon-apigateway-integration"]["responses"]
        return {pattern: response["statusCode"] for pattern, response in written.items()}

    assert patterns("two defaults") == {"default": "200"}
    assert patterns("two of a pattern") == {"4.*": "400", "default": "200"}
    assert patterns("a pattern that reads like the default") == {"(?:default)": "400", "default": "200"}


@pytest.mark.parametrize("version", VERSIONS)
def test_models_that_are_not_json_cannot_be_exported(version: Version) -> None:
    document = one_method([model("A", {}, "application/xml")], request_models={"application/xml": "A"})
    with pytest.raises(OpenApiError, match="Only found non-JSON body models for POST /a"):
        write(document, version)


def test_a_guarded_method_is_never_written_open() -> None:
    with pytest.raises(OpenApiError, match="Invalid Authorizer identifier specified: gone"):
        write(one_method(authorization_type="CUSTOM", authorizer_id="gone"), "oas30")


def test_models_that_every_api_has_show_where_they_are_used() -> None:
    document = one_method([EMPTY, replace(EMPTY, name="Error"), model("Mine", {})])
    assert list(write(document, "swagger")["definitions"]) == ["Mine"]
    method = replace(document.methods[0], request_models={"application/json": "Empty"})
    assert list(write(replace(document, methods=[method]), "swagger")["definitions"]) == ["Empty", "Mine"]


def test_yaml_and_json_say_the_same() -> None:
    written = write(UNEVEN["a circle of models"], "oas30")
    assert yaml.safe_load(to_yaml(written)) == json.loads(json.dumps(written))
