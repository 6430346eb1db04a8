"""Compiling request validation: required parameters and body models. Source: *Request validation for REST APIs*."""

from __future__ import annotations

from tidegate.core.errors import Problem
from tidegate.definition.records import DeploymentDocument, Method
from tidegate.mapping.parameters import request_source
from tidegate.mapping.schema import SchemaError, Validator, compile_model
from tidegate.plan.nodes import NO_VALIDATION, ValidationPlan


class Validations:
    """Of one deployment; a model that several methods name is compiled once."""

    def __init__(self, document: DeploymentDocument, problems: list[Problem]) -> None:
        self._api_id = document.api.id
        self._validators = {validator.id: validator for validator in document.request_validators}
        self._schemas = {model.name: model.schema for model in document.models if model.schema is not None}
        self._compiled: dict[str, Validator | None] = {}
        self._problems = problems

    def compile(self, method: Method, pointer: str) -> ValidationPlan:
        """What is wrong is added to the problems."""
        if not method.request_validator_id:
            return NO_VALIDATION
        validator = self._validators.get(method.request_validator_id)
        if validator is None:
            self._problems.append(
                Problem(f"{pointer}/requestValidatorId", "Invalid Request Validator identifier specified")
            )
            return NO_VALIDATION
        required, models = [], {}
        if validator.validate_request_parameters:
            for parameter, needed in (method.request_parameters or {}).items():
                # AWS: a path parameter is always there, or the request would not have come here.
                if needed and not parameter.startswith("method.request.path."):
                    required.append((parameter.split(".", 3)[3], request_source(parameter, {})))
        if validator.validate_request_body:
            for media_type, name in (method.request_models or {}).items():
                model = self._model(name, f"{pointer}/requestModels/{media_type.replace('/', '~1')}")
                if model is not None:
                    models[media_type.lower()] = model
        return ValidationPlan(tuple(required), models)

    def _model(self, name: str, pointer: str) -> Validator | None:
        if name not in self._compiled:
            self._compiled[name] = None
            if name in self._schemas:
                try:
                    self._compiled[name] = compile_model(name, self._schemas, self._api_id)
                except SchemaError as error:
                    self._problems.append(Problem(pointer, f"Invalid model {name}: {error}"))
        return self._compiled[name]
