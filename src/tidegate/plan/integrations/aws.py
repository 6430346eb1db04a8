"""Compiling AWS integrations with any service: path and action URIs, and what each protocol needs in its requests.

Source: *AWS integrations*, *PutIntegration* (uri); botocore's models for protocols, targets and versions; shared facts,
rest-data-plane §12.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel

from tidegate.aws.model import load_service_model
from tidegate.definition.records import Integration, Method
from tidegate.mapping.parameters import Source
from tidegate.plan.integrations.common import Surroundings, is_the_callers, raw_labels
from tidegate.plan.integrations.transforms import request_transform, response_transform
from tidegate.plan.nodes import AwsPlan, BrokenPlan, RawLabel

_URI = re.compile(r"arn:aws[\w-]*:apigateway:([\w-]+):(?:([\w.-]+)\.)?([\w-]+):(path|action)/(.*)", re.DOTALL)

_MODELS = {
    "email": "ses",
    "events": "events",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "streams.dynamodb": "dynamodbstreams",
    "runtime.sagemaker": "sagemaker-runtime",
    "data.iot": "iot-data",
    "runtime.lex": "lex-runtime",
}
"""Services whose name in an URI (their endpoint's prefix) is not the name of botocore's model."""


@lru_cache(maxsize=64)
def _model(service: str) -> ServiceModel | None:
    try:
        return load_service_model(_MODELS.get(service, service))
    except UnknownServiceError:
        return None


def service_plan(
    method: Method, integration: Integration, uri: str, around: Surroundings, pointer: str
) -> AwsPlan | BrokenPlan:
    found = _URI.fullmatch(uri)
    if found is None:
        around.problem(f"{pointer}/uri", "Invalid ARN specified in the request")
        return BrokenPlan("invalid URI")
    region, subdomain, service, form, rest = found.groups()
    if subdomain and f"{subdomain}.{service}" in _MODELS:
        service, subdomain = f"{subdomain}.{service}", None
    model = _model(service)
    if model is None:
        around.problem(f"{pointer}/uri", f"AWS service {service} is unknown")
        return BrokenPlan("unknown service")
    mapped, by_caller = around.mapped(integration, pointer), is_the_callers(integration.credentials)
    path, query, defaults = _form(form, rest, model, around, pointer)
    if subdomain and service == "s3":
        # The bucket in the host name; in the path it is the same bucket, and reachable under any endpoint.
        path = f"/{subdomain}{path}"
    labels: dict[str, RawLabel | Source] = {**dict(mapped["path"]), **raw_labels(integration)}
    return AwsPlan(
        service=model.signing_name,
        region=region,
        verb=(integration.http_method or "POST").encode(),
        path=around.path(path, labels, pointer),
        query=query.encode(),
        query_sources=tuple((name.encode(), source) for name, source in mapped["querystring"]),
        header_sources=tuple(mapped["header"]),
        headers=defaults,
        answers_xml=model if _speaks_query(model) else None,
        arguments_in_query=_speaks_query(model) and _is_asked_by_url(query, mapped),
        credentials=None if by_caller else integration.credentials,
        by_caller=by_caller,
        request=request_transform(integration, around, pointer),
        answer=response_transform(method, around, pointer),
        timeout=integration.timeout_in_millis / 1000,
    )


def _form(
    form: str, rest: str, model: ServiceModel, around: Surroundings, pointer: str
) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Path, query, and headers that the service needs unless the method maps them."""
    if form == "path":
        path, _, query = rest.partition("?")
        return "/" + path.lstrip("/"), query, ()
    operation, _, query = rest.partition("&")
    if operation not in model.operation_names:
        around.problem(f"{pointer}/uri", f"AWS service {model.service_name} has no action {operation}")
        return "/", "", ()
    if _speaks_query(model):
        arguments = f"Action={operation}&Version={model.api_version}"
        return "/", f"{arguments}&{query}" if query else arguments, ()
    prefix = model.metadata.get("targetPrefix")
    if prefix is not None:
        version = model.metadata.get("jsonVersion", "1.1")
        return (
            "/",
            query,
            (("X-Amz-Target", f"{prefix}.{operation}"), ("Content-Type", f"application/x-amz-json-{version}")),
        )
    around.problem(f"{pointer}/uri", f"AWS service {model.service_name} takes no actions; use the path form")
    return "/", "", ()


def _is_asked_by_url(query: str, mapped: Mapping[str, Iterable[tuple[str, Source]]]) -> bool:
    """Whether the URL names the action, and nothing says that the body is a form with more arguments."""
    named = (
        query.startswith("Action=") or "&Action=" in query or any(name == "Action" for name, _ in mapped["querystring"])
    )
    return named and not any(name.lower() == "content-type" for name, _ in mapped["header"])


def _speaks_query(model: ServiceModel) -> bool:
    """Whether actions are `Action=…` arguments. AWS: API Gateway still calls SQS so, whose model has JSON only by now."""
    return model.service_name == "sqs" or "query" in (model.metadata.get("protocols") or [model.protocol])
