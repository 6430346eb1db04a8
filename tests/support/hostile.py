"""Hostile calls of a service's operations, made out of botocore's model: mostly well formed, with something wrong in each.

A call that is wrong in everything is stopped at the door; so most members get values that the world really holds, and one in
a few something that nobody should send.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from botocore.model import OperationModel, Shape

ACCOUNT, OTHER_ACCOUNT = "737373737373", "747474747474"


def nested(depth: int) -> str:
    """A schema and a documentation's properties alike."""
    return '{"items":' * depth + "{}" + "}" * depth


DEEP = "[" * 2000 + "]" * 2000
DEEP_OBJECT = nested(2000)
TEXTS = [
    "",
    " ",
    "\x00",
    "\r\nX-Injected: 1",
    "\x1f\x7f\x80",
    "ÿ€\U0001f600\u202e",
    "\ud83d",
    "a" * 20_000,
    "%00%2e%2e%2f",
    "../../etc/passwd",
    "'; drop table records; --",
    "$context.error.messageString #set($x = $x) #foreach",
    "{{{{",
    "{proxy+}",
    "~1~0~2",
    "-1",
    "1e999",
    "NaN",
    "9" * 40,
    "٣",
    "null",
    "true",
    "[]",
    "{}",
    DEEP,
    DEEP_OBJECT,
    nested(98),
    nested(300),
    nested(950),
    nested(990),
    '{"$ref": "#"}',
    '{"$ref": "https://apigateway.amazonaws.com/restapis/x/models/Empty"}',
    '{"type": "string", "pattern": "(a+)+$"}',
    '{"type": ["object", 3], "properties": []}',
    '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": 3}, "Action": [], "Resource": {}}]}',
    '{"*": {"rateLimit": {}}}',
    "arn:aws:apigateway:us-east-1::/restapis/",
    "arn:aws:lambda:::::::",
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/x/invocations",
    "arn:aws:acm:us-east-1:737373737373:certificate/1",
    "http://[::1",
    "http://127.0.0.1:1/{x}",
    "method.request.header.",
    "integration.request.header.a",
    "$.a[?(@.b==",
]
NUMBERS: list[Any] = [0, -1, 1, 2, 500, 2**31 - 1, 2**31, 2**63, -(2**63), 10**30, 1.5, -0.0, 1e308]
ANYTHING: list[Any] = [
    *NUMBERS,
    None,
    True,
    False,
    [],
    [None],
    [[]],
    {},
    {"": None},
    {"a": {"a": {"a": []}}},
    "x",
    ["x", 3],
]

KNOWN: dict[str, list[str]] = {
    "httpmethod": ["GET", "POST", "ANY", "get"],
    "integrationhttpmethod": ["GET", "POST", "ANY"],
    "statuscode": ["200", "404", "000"],
    "authorizationtype": ["NONE", "CUSTOM", "AWS_IAM", "COGNITO_USER_POOLS"],
    "pathpart": ["a", "b", "{id}", "{rest+}", "c.d"],
    "contenttype": ["application/json", "text/csv"],
    "exporttype": ["oas30", "swagger"],
    "accepts": ["application/json", "application/yaml"],
    "domainname": ["hostile.example.com", "*.example.com"],
    "basepath": ["(none)", "v1", "v1/v2"],
    "uri": ["http://127.0.0.1:1/", "arn:aws:apigateway:us-east-1:sqs:path/1/q"],
    "authorizeruri": [
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:none/invocations"
    ],
    "startdate": ["2026-01-01", "2026-13-01"],
    "enddate": ["2026-01-31", "2026-02-30"],
    "identitysource": ["method.request.header.Auth"],
    "schema": ['{"type": "object"}', '{"type": "array", "items": {"type": "string"}}'],
    "properties": ['{"description": "d"}', "{}"],
    "type": ["TOKEN", "REQUEST", "COGNITO_USER_POOLS", "MOCK", "MOCK", "HTTP", "HTTP_PROXY", "AWS", "AWS_PROXY", "API"],
    "authtype": ["custom"],
    "providerarns": [f"arn:aws:cognito-idp:us-east-1:{ACCOUNT}:userpool/us-east-1_x"],
    "responsetype": ["DEFAULT_4XX", "THROTTLED"],
    "types": ["EDGE", "REGIONAL", "PRIVATE"],
    "timeoutinmillis": ["50"],
    "accessassociationsourcetype": ["VPCE"],
    "accessassociationsource": ["vpce-1", "vpce-2"],
    "name": ["n1", "n2", "n3"],
    "policy": ['{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "execute-api:/*"}}'],
    "pathwithquerystring": ["/", "/?a=b&a=c", "/a?%zz"],
    "securitypolicy": ["TLS_1_2", "TLS_1_0"],
    "certificatearn": ["arn:aws:acm:us-east-1:737373737373:certificate/1"],
    "regionalcertificatearn": ["arn:aws:acm:us-east-1:737373737373:certificate/1"],
    "keytype": ["API_KEY"],
    "targetarns": ["arn:aws:elasticloadbalancing:us-east-1:737373737373:loadbalancer/net/n/1"],
    "period": ["DAY", "WEEK", "MONTH"],
    "version": ["1.0"],
    "cacheclustersize": ["0.5", "x"],
}
"""What members of a name may well be, by the name in lower case; besides, the world's own ids."""

BODIES = [
    b"",
    b"{",
    b"\xff\xfe",
    b'{"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {"responses": {}}}}}',
    b'{"openapi": "3.0.1", "info": [], "paths": {"/a": []}}',
    b'{"swagger": "2.0", "info": {"title": "t"}, "paths": {"a{": {"get": 3, "x-amazon-apigateway-any-method": {}}}}',
    b'{"openapi": "3.0.1", "info": {"title": "t"}, "paths": {}, "components": {"schemas": {"A": {"$ref": "#/paths"}}}}',
    b'{"openapi": "3.0.1", "info": {"title": "t"}, "paths": {"/x": {"$ref": "#/paths/~1x"}}}',
    b"a: &a [*a]",
    b"swagger: '2.0'\ninfo: {title: t}\npaths: {/: {get: {x-amazon-apigateway-integration: {type: mock, responses: []}}}}",
    b"name,key\n\x00,\x00\n",
    b"name,key,enabled,usageplanIds\nn,aaaaaaaaaaaaaaaaaaaaaaaa,maybe,nothing\n",
    b'{"documentationParts": [{"location": {"type": "API"}, "properties": {"a": 1}}, {}]}',
    DEEP.encode(),
    DEEP_OBJECT.encode(),
]


class Chance(Protocol):
    """`random.Random`, or Hypothesis's own that it can shrink."""

    def random(self) -> float: ...
    def choice(self, options: Sequence[Any], /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    verb: str
    target: str
    body: bytes | None
    headers: Mapping[str, str]


@dataclass(slots=True)
class Hostility:
    """Makes calls. `paths`: what may be patched, by operation."""

    chance: Chance
    ids: dict[str, list[str]] = field(default_factory=dict)
    """The world's own, by member name in lower case."""
    paths: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    wrong: float = 0.15
    """The share of members that get something wrong."""

    def call(self, operation: OperationModel) -> Call:
        path, _, fixed = operation.http["requestUri"].partition("?")
        arguments = [tuple(part.split("=")) for part in fixed.split("&") if part]
        headers: dict[str, str] = {"Accept": self.chance.choice(["application/json", "application/json", "*/*"])}
        document: Any = {}
        body: bytes | None = None
        shape = operation.input_shape
        for name, member in (shape.members if shape is not None else {}).items():
            where, key = member.serialization.get("location"), member.serialization.get("name", name)
            if where is None and shape.serialization.get("payload") == name:
                body = self.chance.choice(BODIES) if member.type_name == "blob" else None
                document = self.value(operation.name, name, member)
            elif where == "uri":
                path = path.replace("{" + key + "}", _quoted(self.text(name, member)))
            elif name not in shape.required_members and self.chance.random() < self.chance.choice([0.3, 0.9]):
                continue
            elif where == "querystring":
                arguments += self.arguments(name, key, member)
            elif where == "header":
                headers[key] = (
                    self.text(name, member).encode("ascii", "ignore").decode().replace("\n", "").replace("\r", "")
                )
            else:
                document[key] = self.value(operation.name, name, member)
        if operation.http["method"] in ("POST", "PUT", "PATCH") and body is None:
            body = _json(document)
            if self.chance.random() < 0.02:
                body = self.chance.choice([b"", b"null", b"[]", b"3", b'"x"', body[:-1], body + b"x", DEEP.encode()])
        query = urlencode([(key, value.encode("utf-8", "replace")) for key, value in arguments])
        headers = {key: value[:4000].replace("\x00", "") for key, value in headers.items()}
        return Call(operation.name, operation.http["method"], path + ("?" + query if query else ""), body, headers)

    def text(self, name: str, shape: Shape) -> str:
        if self.chance.random() < self.wrong:
            # Neither a path nor a header has room for the very long ones.
            return str(self.chance.choice(TEXTS))[:3000]
        known = self.ids.get(name.lower()) or KNOWN.get(name.lower())
        likely = known or getattr(shape, "enum", None) or [f"n{number}" for number in range(50)]
        return str(self.chance.choice(likely))

    def arguments(self, name: str, key: str, shape: Shape) -> list[tuple[str, str]]:
        if shape.type_name == "map" and self.chance.random() >= 3 * self.wrong:
            return []
        if shape.type_name == "map":
            return [(self.chance.choice(["basepath", "ignore", "extensions", "x"]), self.text("", shape)[:1000])]
        if shape.type_name == "list":
            return [(key, self.text(name, shape.member)[:1000]) for _ in range(2)]
        if shape.type_name in ("integer", "boolean") and self.chance.random() < 0.7:
            return [(key, str(self.chance.choice([1, 2, 25, "true", "false"])))]
        return [(key, self.text(name, shape)[:1000])]

    def value(self, operation: str, name: str, shape: Shape) -> Any:
        """A value of a member of the document."""
        if self.chance.random() < self.wrong / 3:
            return self.chance.choice(ANYTHING)
        if name == "patchOperations":
            return [self.patch(operation) for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]
        make: Callable[[], Any] = {
            "structure": lambda: {
                member.serialization.get("name", inner): self.value(operation, inner, member)
                for inner, member in shape.members.items()
                if inner in shape.required_members or self.chance.random() < 0.5
            },
            "list": lambda: [
                self.value(operation, name, shape.member) for _ in range(self.chance.choice([0, 1, 1, 2]))
            ],
            "map": lambda: {self.key(name): self.value(operation, name, shape.value) for _ in range(2)},
            "boolean": lambda: self.chance.choice([True, False]),
        }.get(shape.type_name, lambda: None)
        if shape.type_name in ("structure", "list", "map", "boolean"):
            return make()
        if shape.type_name in ("integer", "long", "double", "float"):
            return self.chance.choice(NUMBERS if self.chance.random() < self.wrong else [10, 60])
        return self.text(name, shape) if self.chance.random() >= self.wrong else self.chance.choice(TEXTS)

    def key(self, name: str) -> str:
        """Of a map."""
        likely = {
            "requestParameters": ["method.request.header.A", "integration.request.header.A", "method.request.path.id"],
            "responseParameters": ["method.response.header.A", "gatewayresponse.header.A"],
            "requestTemplates": ["application/json", "text/plain", "$default"],
            "responseTemplates": ["application/json", "text/plain"],
            "requestModels": ["application/json"],
            "responseModels": ["application/json"],
            "throttle": ["/a/GET", "*/*"],
            "variables": ["v", "a_b"],
            "tags": ["team", "aws:x", "_custom_id_"],
        }.get(name, ["a"])
        return str(self.chance.choice(likely if self.chance.random() >= self.wrong else TEXTS)).replace("\ud83d", "?")

    def patch(self, operation: str) -> Any:
        op, path = self.chance.choice(list(self.paths.get(operation, ())) or [("replace", "/x")])
        if self.chance.random() < self.wrong:
            op = self.chance.choice(["add", "remove", "replace", "move", "copy", "test", "", None])
        if self.chance.random() < self.wrong:
            path = self.chance.choice([path + "/", path + "/x", "", "/", "x", None, 3, *TEXTS])
        name = (path if isinstance(path, str) else "").rpartition("/")[2].lower()
        known = KNOWN.get(name, []) + self.ids.get(name, [])
        value = self.chance.choice([*known * 8, *TEXTS, *ANYTHING[:10]]) if self.chance.random() < 0.9 else None
        change = {"op": op, "path": path, "value": value}
        if op == "copy":
            change["from"] = self.chance.choice(
                ["/canarySettings/deploymentId", "/canarySettings/stageVariableOverrides", "/x"]
            )
        return change


def _quoted(text: str) -> str:
    # An empty label is another operation's path.
    return quote(text.encode("utf-8", "replace"), safe="") or "%20"


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()
