"""The query protocol against botocore's own serializer and parser: what they write is read, what is written they read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.model import Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from tidegate.aws.model import load_service_model, snake
from tidegate.aws.query import Query
from tidegate.core.errors import ControlError
from tidegate.core.message import Headers, Request

SERVICES = {name: Query(load_service_model(name)) for name in ("iam", "sts")}
AWKWARD = "a <b> & 'c' \"d\"\t\r\n é \U0001f600"


def request(operation: str, params: dict[str, Any], service: str) -> Request:
    model = SERVICES[service].service.operation_model(operation)
    written = create_serializer("query").serialize_to_request(params, model)
    head = Headers.of([(b"Content-Type", b"application/x-www-form-urlencoded")])
    return Request(method="POST", target=b"/", headers=head, body=urlencode(written["body"]).encode())


def read(operation: str, params: dict[str, Any], service: str = "iam") -> dict[str, Any]:
    query, call = SERVICES[service], request(operation, params, service)
    matched = query.match(call)
    assert matched is not None
    form, labels = matched
    assert form.name == operation
    return query.parse(form, labels, call)


def snaked(value: Any, shape: Shape) -> Any:
    if shape.type_name == "structure":
        return {snake(name): snaked(inner, shape.members[name]) for name, inner in value.items()}
    if shape.type_name == "list":
        return [snaked(inner, shape.member) for inner in value]
    return value


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("ListUsers", {}),
        ("ListUsers", {"PathPrefix": "/a/", "MaxItems": 7}),
        ("TagUser", {"UserName": "u", "Tags": [{"Key": "k", "Value": AWKWARD}, {"Key": "l", "Value": ""}]}),
        ("UntagUser", {"UserName": "u", "TagKeys": []}),
        ("UntagUser", {"UserName": "u", "TagKeys": [f"key-{number}" for number in range(50)]}),
        ("CreatePolicyVersion", {"PolicyArn": "a" * 20, "PolicyDocument": "{}", "SetAsDefault": False}),
        (
            "SimulateCustomPolicy",
            {
                "PolicyInputList": ["{}", "{ }"],
                "ActionNames": ["a:b", "c:d"],
                "ContextEntries": [
                    {"ContextKeyName": "aws:x", "ContextKeyValues": ["1", "2"], "ContextKeyType": "stringList"}
                ],
            },
        ),
    ],
)
def test_what_botocore_writes_is_read(operation: str, params: dict[str, Any]) -> None:
    shape = SERVICES["iam"].service.operation_model(operation).input_shape
    assert read(operation, params) == snaked(params, shape)


def sample(shape: Shape, name: str = "", depth: int = 0) -> Any:
    """Some value of a shape, two items to every list."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members.items() if depth < 6 else ()
        return {key: sample(member, key, depth + 1) for key, member in members}
    if kind == "list":
        return [sample(shape.member, f"{name}{number}", depth + 1) for number in (1, 2)]
    if kind == "map":
        return {sample(shape.key, f"key of {name}"): sample(shape.value, name, depth + 1)}
    scalars = {
        "boolean": depth % 2 == 0,
        "integer": depth,
        "long": depth,
        "double": 0.5,
        "blob": b"\x00\xff",
        "timestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    return scalars.get(kind, f"{name} {AWKWARD}")


def given(value: Any, shape: Shape) -> Any:
    """As our operations answer."""
    if shape.type_name == "structure":
        return {snake(name): given(inner, shape.members[name]) for name, inner in value.items()}
    if shape.type_name == "list":
        return [given(inner, shape.member) for inner in value]
    return value.timestamp() if isinstance(value, datetime) else value


@pytest.mark.parametrize("service", SERVICES)
def test_all_answers_are_read_by_botocore(service: str) -> None:
    query, parser = SERVICES[service], create_parser("query")
    for operation in query.operations.values():
        shape = operation.model.output_shape
        wanted = {} if shape is None else sample(shape)
        answer = query.respond(operation, {} if shape is None else given(wanted, shape), "id-1")
        headers = {name.decode(): value.decode() for name, value in answer.headers}
        parsed = parser.parse({"status_code": 200, "headers": headers, "body": answer.body}, shape)
        metadata = parsed.pop("ResponseMetadata")
        assert metadata["RequestId"] == "id-1"
        assert parsed == wanted, operation.name


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("NoSuchEntity", 404, "Sender"), ("DeleteConflict", 409, "Sender"), ("ServiceFailure", 500, "Receiver")],
)
def test_errors_have_the_status_of_the_model(code: str, status: int, kind: str) -> None:
    answer = SERVICES["iam"].respond_error(ControlError(code, AWKWARD + "\x00"), "id-2")
    parsed = create_parser("query").parse(
        {"status_code": answer.status, "headers": {}, "body": answer.body}, SERVICES["iam"].service.shape_for("User")
    )
    assert answer.status == status
    assert parsed["Error"] == {"Type": kind, "Code": code, "Message": AWKWARD + "\ufffd"}
    assert parsed["ResponseMetadata"]["RequestId"] == "id-2"


def test_hostile_forms() -> None:
    def parse(body: bytes) -> dict[str, Any]:
        query = SERVICES["iam"]
        call = Request(method="POST", target=b"/", headers=Headers.of([]), body=body)
        form, labels = query.match(call) or pytest.fail("no operation")
        return query.parse(form, labels, call)

    begin = b"Action=TagUser&Version=2010-05-08&UserName=u"
    deep = begin + b"&Tags.member.1.Key=k&Tags.member.1.Value=v&" + b".".join([b"a"] * 100_000) + b"=1"
    assert parse(deep)["tags"] == [{"key": "k", "value": "v"}]
    # Items come in the order of their numbers, whatever numbers these are; what is no number is no item.
    named = (
        begin
        + b"&Tags.member.9.Key=b&Tags.member.9.Value=2&Tags.member.2.Key=a&Tags.member.2.Value=1&Tags.member.x.Key=c"
    )
    assert [tag["key"] for tag in parse(named)["tags"]] == ["a", "b"]
    huge = begin + b"&Tags.member.99999999999999999999.Key=a"
    assert parse(huge)["tags"] == []
    with pytest.raises(ControlError, match="MalformedInput"):
        parse(b"Action=CreatePolicyVersion&Version=2010-05-08&SetAsDefault=perhaps")
    with pytest.raises(ControlError, match="ValidationError: 3 validation errors detected"):
        parse(b"Action=SimulatePrincipalPolicy&Version=2010-05-08&MaxItems=0")
