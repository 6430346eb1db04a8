"""What a template takes from files beside it: included fragments, API definitions, function code. After this step the
template stands by itself, as after `aws cloudformation package`; code is replaced by `s3://tidegate/<hash>`.

AWS: CloudFormation User Guide, "AWS::Include transform"; AWS CLI, "cloudformation package"; SAM, "sam package".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.deploy.errors import DeployError, Problem
from tidegate.deploy.intrinsics import UNKNOWN, IntrinsicError, Scope, evaluate, function_of
from tidegate.deploy.package import BUCKET, HOT_RELOAD, PackageError, Packages
from tidegate.deploy.template import read_document

_FUNCTION = "AWS::Serverless::Function"
_LAYER = "AWS::Serverless::LayerVersion"
_CODE = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}
"""AWS: `aws cloudformation package` takes local paths in these places."""
_DEFINITIONS = {
    "AWS::Serverless::Api": ("DefinitionUri", "DefinitionBody"),
    "AWS::Serverless::HttpApi": ("DefinitionUri", "DefinitionBody"),
    "AWS::ApiGateway::RestApi": ("BodyS3Location", "Body"),
    "AWS::Serverless::StateMachine": ("DefinitionUri", "Definition"),
    "AWS::StepFunctions::StateMachine": ("DefinitionS3Location", "Definition"),
}
_REMOTE = ("s3://", "https://", "http://")


@dataclass(frozen=True, slots=True)
class Sources:
    """Reads the files that a template names, relative to the template's own folder."""

    folder: Path
    scope: Scope
    """Parameters and mappings, for file names that are computed."""
    packages: Packages
    hot_reload: bool = False
    """Functions run the folders themselves, not packages of what is in them now."""

    def resolve(self, template: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """The template with every file in its place, and what could not be read."""
        problems: list[Problem] = []
        body = self._included(template, "", problems)
        assert isinstance(body, dict)
        defaults = body.get("Globals", {}).get("Function", {})
        inherited = dict(defaults)
        if isinstance(defaults, dict):
            defaults.pop("CodeUri", None)  # moved into each function that it is meant for
        for logical_id, resource in body.get("Resources", {}).items():
            problems += self._resource(logical_id, resource, inherited)
        return body, problems

    def _included(self, value: Any, place: str, problems: list[Problem]) -> Any:
        """Splices AWS::Include: what the file says joins the members beside `Fn::Transform`."""
        if isinstance(value, list):
            return [self._included(item, place, problems) for item in value]
        if not isinstance(value, dict):
            return value
        members = {
            key: self._included(member, f"{place}.{key}" if place else key, problems)
            for key, member in value.items()
            if key != "Fn::Transform"
        }
        if "Fn::Transform" not in value:
            return members
        try:
            fragment = self._fragment(value["Fn::Transform"])
        except (DeployError, IntrinsicError) as error:
            found = error.problems if isinstance(error, DeployError) else [Problem(place, str(error))]
            problems.extend(found)
            return members
        return self._included(fragment, place, problems) | members if isinstance(fragment, dict) else fragment

    def _fragment(self, transform: Any) -> Any:
        name = transform.get("Name") if isinstance(transform, dict) else None
        if name != "AWS::Include":
            raise IntrinsicError(f"the transform {name} is not supported")
        location = evaluate(transform.get("Parameters", {}).get("Location"), self.scope)
        return read_document(self._local(location)).body

    def _local(self, location: Any) -> Path:
        if location is UNKNOWN or not isinstance(location, str):
            raise IntrinsicError("the name of a file cannot depend on a resource")
        if location.startswith(_REMOTE):
            raise IntrinsicError(f"{location} is not a local file; only local files are supported")
        return self.folder / location.removeprefix("file://")

    def _resource(self, logical_id: str, resource: dict[str, Any], inherited: Mapping[str, Any]) -> Iterator[Problem]:
        kind = resource["Type"]
        properties = resource.get("Properties") or {}
        try:
            if kind == _FUNCTION:
                resource["Properties"] = properties
                yield from _unbuildable(logical_id, resource, inherited)
                self._function_code(properties, inherited)
            elif kind == _LAYER:
                self._layer_content(properties)
            elif (member := _CODE.get(kind)) and isinstance(properties.get(member), str):
                location, runtime = properties[member], self._runtime(properties.get("Runtime"))
                folder = self._hot(location, runtime) if kind == "AWS::Lambda::Function" else None
                properties[member] = (
                    {"S3Bucket": HOT_RELOAD, "S3Key": folder}
                    if folder
                    else {"S3Bucket": BUCKET, "S3Key": self._packed(location, runtime)}
                )
            elif kind in _DEFINITIONS:
                self._definition(properties, *_DEFINITIONS[kind])
        except (IntrinsicError, PackageError) as error:
            yield Problem(logical_id, str(error))
        except DeployError as error:
            yield from error.problems

    def _function_code(self, properties: dict[str, Any], inherited: Mapping[str, Any]) -> None:
        if properties.get("PackageType", inherited.get("PackageType")) == "Image":
            # Refused already; an address lets the translation go on and find what else is wrong.
            properties["ImageUri"] = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/{BUCKET}:latest"
        elif "InlineCode" not in properties:
            # AWS: `sam package` takes the template's own folder when no CodeUri is given.
            uri = properties.get("CodeUri", inherited.get("CodeUri", "."))
            runtime = self._runtime(properties.get("Runtime", inherited.get("Runtime")))
            if _in_s3(uri):
                properties["CodeUri"] = uri
            elif folder := self._hot(uri, runtime):
                properties["CodeUri"] = {"Bucket": HOT_RELOAD, "Key": folder}
            else:
                properties["CodeUri"] = f"s3://{BUCKET}/{self._packed(uri, runtime)}"

    def _runtime(self, given: Any) -> str:
        found = evaluate(given, self.scope)
        return found if isinstance(found, str) else ""

    def _hot(self, location: Any, runtime: str) -> str | None:
        """The key of a folder that is to run as it lies there."""
        return self.packages.hot(self._local(evaluate(location, self.scope)), runtime) if self.hot_reload else None

    def _layer_content(self, properties: dict[str, Any]) -> None:
        # AWS: `sam package` takes the template's own folder when no ContentUri is given.
        uri = properties.get("ContentUri", ".")
        properties["ContentUri"] = uri if _in_s3(uri) else f"s3://{BUCKET}/{self._packed(uri)}"

    def _packed(self, location: Any, runtime: str = "") -> str:
        return self.packages.add(self._local(evaluate(location, self.scope)), runtime)

    def _definition(self, properties: dict[str, Any], uri: str, body: str) -> None:
        """A definition in a local file takes its place in the template; one in S3 is read when the API is made."""
        if uri not in properties:
            return
        location = properties[uri]
        if isinstance(location, dict) and function_of(location) is None:
            return  # bucket and key
        location = evaluate(location, self.scope)
        if uri == "DefinitionUri" and isinstance(location, str) and location.startswith("s3://"):
            return  # SAM makes a bucket and a key of it
        properties[body] = read_document(self._local(location)).body
        del properties[uri]


def _in_s3(location: Any) -> bool:
    """Bucket and key, or an address of both: the server fetches it."""
    if isinstance(location, str):
        return location.startswith("s3://")
    return isinstance(location, dict) and function_of(location) is None


def _unbuildable(logical_id: str, resource: Mapping[str, Any], inherited: Mapping[str, Any]) -> Iterator[Problem]:
    properties = resource["Properties"]
    if properties.get("PackageType", inherited.get("PackageType")) == "Image":
        yield Problem(f"{logical_id}.PackageType", "container images are not supported")
    metadata = resource.get("Metadata")
    # `sam build` keeps BuildMethod in what it writes, and marks it with SamResourceId: that one is built already.
    built = isinstance(metadata, dict) and "SamResourceId" in metadata
    if isinstance(metadata, dict) and not built and (method := metadata.get("BuildMethod")):
        yield Problem(
            f"{logical_id}.Metadata.BuildMethod",
            f"building with {method} is not supported; run `sam build` and deploy .aws-sam/build/template.yaml",
        )
