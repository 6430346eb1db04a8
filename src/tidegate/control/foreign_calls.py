"""What a call for a service that is not ours means: which actions on which resources, as far as it says so plainly.

Operations are read by botocore's model: from X-Amz-Target or the Action of a form, or from verb and path. Resources are read for
the services that functions and integrations use most. Source: *Service Authorization Reference* of each service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel

from tidegate.aws.model import load_service_model
from tidegate.aws.rest import RestJson
from tidegate.aws.scope import Scope, service_of_target
from tidegate.control.access import Need
from tidegate.control.foreign_s3 import s3_needs
from tidegate.core.errors import ControlError
from tidegate.core.message import Request

_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "ConditionCheck": "ConditionCheckItem",
}
_MODELS = {"email": "ses", "monitoring": "cloudwatch", "states": "stepfunctions"}
"""Signing names that are not the names of botocore's models."""
_QUEUE_PATH = re.compile(r"/(\d{12})/([\w.-]+)")
_UNKNOWN_SUFFIX = "-XXXXXX"
"""Secrets Manager puts six random characters behind a name; policies say `-??????` or `*`."""


@dataclass(frozen=True, slots=True)
class Meaning:
    needs: tuple[Need, ...]
    exact: bool
    """False: the resource could not be read, and stands as `*`."""


def meaning(service: str, request: Request, scope: Scope) -> Meaning:
    """Raises ControlError for a call that names no operation, or more than one: which of them a neighbour would take is its
    affair."""
    if _is_of_neighbours(request.path):
        raise _unclear(service, request)
    if service == "s3":
        _refuse_target(service, request)
        return Meaning(tuple(s3_needs(request)), exact=True)
    operation, body = _read(service, request)
    found = list(_RESOURCES.get(service, _nothing)(operation, body, scope, request))
    if not found or _names_more(body):
        return Meaning((Need(f"{service}:{operation}"),), exact=False)
    return Meaning(tuple(Need(f"{service}:{action}", arn) for action, arn in dict.fromkeys(found)), exact=True)


Found = Iterator[tuple[str, str]]
"""Actions and resources."""
Body = Mapping[str, Any]


def _read(service: str, request: Request) -> tuple[str, Body]:
    """Raises ControlError."""
    _refuse_target(service, request)
    streams = (request.headers.get(b"x-amz-target") or b"").startswith(b"DynamoDBStreams")
    model = protocol("dynamodbstreams" if streams else service)
    if model is not None and model.service.metadata["protocol"].startswith("rest"):
        found = model.match(request)
        if found is None:
            raise _unclear(service, request)
        return found[0].name, {}
    named = set(_named(request))
    if len(named) != 1:
        raise _unclear(service, request)
    operation = named.pop()
    if model is None or operation not in model.operations:
        raise _unclear(service, request)
    shape = model.operations[operation].model.input_shape
    members = {} if shape is None else shape.members
    # What is not of the model, the neighbour does not look at either.
    return operation, {name: value for name, value in _body(service, request).items() if name in members}


def _refuse_target(service: str, request: Request) -> None:
    target = request.headers.get(b"x-amz-target")
    model = protocol(service)
    if target is not None and (model is None or not _is_target_of(target.decode("latin-1"), model.service)):
        raise _unclear(service, request)


def _is_target_of(target: str, service: ServiceModel) -> bool:
    """Some services have several prefixes (DynamoDB its streams')."""
    prefix = target.rpartition(".")[0]
    return bool(service.signing_name == service_of_target(target) or prefix == service.metadata.get("targetPrefix"))


def _named(request: Request) -> Iterator[str]:
    target = request.headers.get(b"x-amz-target")
    if target is not None:
        yield target.decode("latin-1").rpartition(".")[2]
    forms = [request.query] if _is_json(request) else [request.query, request.body.decode("utf-8", "replace")]
    yield from (value for form in forms for name, value in parse_qsl(form) if name == "Action")


def _is_json(request: Request) -> bool:
    return b"json" in (request.headers.get(b"content-type") or b"")


def _body(service: str, request: Request) -> Body:
    """Raises ControlError for what cannot be read, or could be read in two ways."""
    if request.headers.get(b"x-amz-target") is not None:
        try:
            document = orjson.loads(request.body or b"{}")
        except orjson.JSONDecodeError:
            raise _unclear(service, request) from None
        return document if isinstance(document, dict) else {}
    pairs = [pair for form in (request.query, request.body.decode("utf-8", "replace")) for pair in parse_qsl(form)]
    if len({name for name, _ in pairs}) < len(set(pairs)):
        raise _unclear(service, request)
    return dict(pairs)


def _unclear(service: str, request: Request) -> ControlError:
    text = f"Tidegate cannot tell what {service} {request.method} {request.path} is"
    return ControlError("AccessDeniedException", text, 403)


def _is_of_neighbours(path: str) -> bool:
    """What the neighbours (moto) offer beside AWS's services: everything of everybody, and forgetting it."""
    return next((part for part in unquote(path).split("/") if part), "").lower() == "moto-api"


@lru_cache(maxsize=64)
def protocol(service: str) -> RestJson | None:
    """The path forms of a service; None: botocore has no model of that name."""
    try:
        return RestJson(load_service_model(_MODELS.get(service, service)), nested_paths=False)
    except UnknownServiceError:
        return None


_HANDLED = frozenset(
    """TableName TableArn ResourceArn StreamArn QueueName TopicArn TargetArn SubscriptionArn StreamName StreamARN
    stateMachineArn executionArn activityArn resourceArn IndexName""".split()
)


def _names_more(body: Body) -> bool:
    """Whether a call names further resources than those that are looked at."""
    return any(name.endswith(("Arn", "ARN", "TableName")) and name not in _HANDLED for name in body)


def _nothing(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    yield from ()


def _arn(scope: Scope, service: str, resource: str) -> str:
    return f"arn:aws:{service}:{scope.region}:{scope.account}:{resource}"


def _text(body: Body, *names: str) -> str | None:
    """The one member that is there."""
    return next((value for name in names if isinstance(value := body.get(name), str) and value), None)


def _dynamodb(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    if operation in ("ListTables", "DescribeLimits", "DescribeEndpoints"):
        yield operation, "*"

    def table(name: str) -> str:
        return name if name.startswith("arn:") else _arn(scope, "dynamodb", f"table/{name}")

    name, index = _text(body, "TableName", "ResourceArn", "TableArn", "StreamArn"), _text(body, "IndexName")
    if name is not None:
        yield operation, f"{table(name)}/index/{index}" if index else table(name)
    items = body.get("RequestItems")
    if isinstance(items, dict):
        yield from ((operation, table(each)) for each in items)
    for item in body.get("TransactItems") or ():
        for kind, given in item.items() if isinstance(item, dict) else ():
            if kind in _TRANSACTIONS and isinstance(given, dict) and isinstance(given.get("TableName"), str):
                yield _TRANSACTIONS[kind], table(given["TableName"])


def _sqs(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    if operation == "ListQueues":
        yield operation, "*"
    # AWS: a batch needs the permission of the single call.
    action = operation.removesuffix("Batch")
    url, name = _text(body, "QueueUrl"), _text(body, "QueueName")
    for path in (urlsplit(url or "").path, request.path):
        found = _QUEUE_PATH.fullmatch(path)
        if found is not None:
            yield action, f"arn:aws:sqs:{scope.region}:{found[1]}:{found[2]}"
    if name is not None:
        owner = _text(body, "QueueOwnerAWSAccountId") or scope.account
        yield action, f"arn:aws:sqs:{scope.region}:{owner}:{name}"


def _sns(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    if operation in ("ListTopics", "ListSubscriptions"):
        yield operation, "*"
    arn, subscription, name = (_text(body, each) for each in ("TopicArn", "SubscriptionArn", "Name"))
    for topic in (arn, _text(body, "TargetArn"), _text(body, "ResourceArn")):
        if topic is not None:
            yield "Publish" if operation == "PublishBatch" else operation, topic
    if subscription is not None:
        yield operation, subscription.rpartition(":")[0]
    if operation == "CreateTopic" and name is not None:
        yield operation, _arn(scope, "sns", name)


def _secrets(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    name = _text(body, "SecretId", "Name")
    if name is not None:
        arn = name if name.startswith("arn:") else _arn(scope, "secretsmanager", f"secret:{name}{_UNKNOWN_SUFFIX}")
        yield operation, arn


def _ssm(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    given = [body.get("Name"), body.get("Path"), *(body.get("Names") or ())]
    if operation.endswith(("Parameter", "Parameters", "ParametersByPath", "ParameterHistory")):
        for name in given:
            if isinstance(name, str) and name:
                plain = name.rpartition(":parameter")[2] if name.startswith("arn:") else name
                yield operation, _arn(scope, "ssm", f"parameter/{plain.lstrip('/')}")


def _states(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    arn, name = _text(body, "stateMachineArn", "executionArn", "activityArn", "resourceArn"), _text(body, "name")
    if arn is not None:
        yield operation, arn
    elif operation == "CreateStateMachine" and name is not None:
        yield operation, _arn(scope, "states", f"stateMachine:{name}")


def _events(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    def bus(name: object) -> str:
        text = name if isinstance(name, str) and name else "default"
        return text if text.startswith("arn:") else _arn(scope, "events", f"event-bus/{text}")

    if operation == "PutEvents":
        entries = body.get("Entries") or ()
        yield from ((operation, bus(entry.get("EventBusName"))) for entry in entries if isinstance(entry, dict))


def _kinesis(operation: str, body: Body, scope: Scope, request: Request) -> Found:
    name, arn = _text(body, "StreamName"), _text(body, "StreamARN")
    if operation == "ListStreams":
        yield operation, "*"
    for found in (arn, name and _arn(scope, "kinesis", f"stream/{name}")):
        if found:
            yield operation, found


_RESOURCES: Mapping[str, Callable[[str, Body, Scope, Request], Found]] = {
    "dynamodb": _dynamodb,
    "events": _events,
    "kinesis": _kinesis,
    "secretsmanager": _secrets,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "states": _states,
}
