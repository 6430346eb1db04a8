"""Lambda authorizers, line by line: what the function is told, what it may answer, and what is kept of it.

The function asks a backend of the test what to answer, so that every call of it is seen, and counted where it happens.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.backend import Backend, Received
from tests.support.running import Answer, ApiBuilder, Server, lambda_uri, make_function

ASKS = """
import json, os, urllib.request
def handler(event, context):
    asked = urllib.request.Request(os.environ["JUDGE"], json.dumps(event).encode())
    told = json.loads(urllib.request.urlopen(asked).read())
    if "raise" in told: raise Exception(told["raise"])
    if "exit" in told: os._exit(told["exit"])
    return told.get("return", {**told, "pad": "x" * told["pad"]} if "pad" in told else None)
"""
ECHO = "import json\ndef handler(e, c): return {'statusCode': 200, 'body': json.dumps(e['requestContext'])}"
TOKEN = "method.request.header.Token"
REFUSED = {401: {"message": "Unauthorized"}, 500: {"message": None}}
DENIED = "User is not authorized to access this resource"
SILENT = f"{DENIED} because no identity-based policy allows the execute-api:Invoke action"
EXPLICIT = f"{DENIED} with an explicit deny in an identity-based policy"


class Judge(Backend):
    """What the authorizer asks. `says`: what it is to do from now on."""

    says: dict[str, Any]

    def start(self) -> Judge:
        self.answer = self._told
        super().start()
        return self

    def _told(self, _: Received) -> tuple[int, list[tuple[str, str]], bytes]:
        return 200, [], json.dumps(self.says).encode()

    @property
    def events(self) -> list[Any]:
        return [json.loads(call.body) for call in self.received]


def statement(resource: Any, effect: str = "Allow", action: Any = "execute-api:Invoke") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def allowing(*statements: Any, **more: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements) or [statement("*")]}
    return {"return": {"principalId": "me", "policyDocument": document, **more}}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    running = Judge().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose clock may be moved."""
    running = Server(tmp_path_factory.mktemp("authorizers")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def functions(alone: Server, judge: Judge) -> dict[str, str]:
    environment = {"Environment": {"Variables": {"JUDGE": judge.url}}}
    made = {
        "asks": make_function(alone, "asks", ASKS, **environment),
        "slow": make_function(alone, "slow", ASKS, Timeout=1, **environment),
        "locked": make_function(alone, "locked", ASKS, **environment),
        "tells": make_function(alone, "tells", ECHO),
    }
    for name in made.keys() - {"locked"}:
        alone.client("lambda").add_permission(
            FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
        )
    return made


PATHS = ("/", "/a", "/b", "/items/{id}", "/deep/{proxy+}")


class Guarded:
    """An API behind one authorizer; `GET /bare` tells that the gateway has read what came before."""

    def __init__(self, server: Server, functions: dict[str, str], kind: str, *, function: str = "asks", **options: Any):
        self.server = server
        self.api = ApiBuilder(server, **options.pop("api", {}))
        self.client = self.api.client
        self.authorizer = self.client.create_authorizer(
            restApiId=self.api.id, name="a", type=kind, authorizerUri=lambda_uri(functions[function]), **options
        )["id"]
        integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": lambda_uri(functions["tells"])}
        for path in PATHS:
            self.api.method(path, "ANY", integration, authorizationType="CUSTOM", authorizerId=self.authorizer)
        self.api.mock("/bare", "GET")
        self.deploy()

    def deploy(self, stage: str = "prod") -> None:
        self.client.create_deployment(restApiId=self.api.id, stageName=stage, variables={"who": "them"})

    def get(self, path: str = "/a", token: str | None = "t", *, method: str = "GET", **headers: str) -> Answer:
        sent = {**({} if token is None else {"Token": token}), **headers}
        return self.server.call(self.api.id, f"/prod{path}", method=method, headers=sent)

    def arn(self, rest: str) -> str:
        return f"arn:aws:execute-api:us-east-1:000000000000:{self.api.id}/prod/{rest}"


@pytest.fixture(scope="module")
def uncached(alone: Server, functions: dict[str, str]) -> Guarded:
    options = {"identitySource": TOKEN, "authorizerResultTtlInSeconds": 0}
    return Guarded(alone, functions, "TOKEN", identityValidationExpression="Bearer .+|[a-z]+", **options)


@pytest.mark.parametrize(
    ("path", "method", "token", "arn"),
    [
        ("/", "GET", "Bearer x.y", "GET/"),
        ("/a", "POST", "t", "POST/a"),
        ("//a", "GET", "t", "GET/a"),
        ("/items/one%20two?x=1", "GET", "t", "GET/items/one two"),
        ("/items/a%2fb", "GET", "t", "GET/items/a%2Fb"),
        ("/deep/a/b/", "DELETE", "t", "DELETE/deep/a/b/"),
    ],
)
def test_what_a_token_authorizer_is_told(
    uncached: Guarded, judge: Judge, path: str, method: str, token: str, arn: str
) -> None:
    judge.says = allowing()
    assert uncached.get(path, token, method=method).status == 200
    assert judge.events[-1] == {"type": "TOKEN", "methodArn": uncached.arn(arn), "authorizationToken": token}


def test_what_a_request_authorizer_is_told(alone: Server, functions: dict[str, str], judge: Judge) -> None:
    guarded = Guarded(alone, functions, "REQUEST", authorizerResultTtlInSeconds=0)
    judge.says = allowing()
    answer = guarded.get("/items/a%20b?x=1&x=2&y=%C3%A9", method="POST", Other="é".encode().decode("latin-1"))
    event = judge.events[-1]
    context = event.pop("requestContext")
    names = ["Accept-Encoding", "Content-Length", "Host", "Token", "Other", "X-Amzn-Trace-Id", "X-Forwarded-For"]
    headers, several = event.pop("headers"), event.pop("multiValueHeaders")
    assert headers.keys() == several.keys() == {*names, "X-Forwarded-Port", "X-Forwarded-Proto"} - {"Content-Length"}
    assert (headers["Token"], several["Token"], headers["Other"]) == ("t", ["t"], "é")
    assert event == {
        "type": "REQUEST",
        "methodArn": guarded.arn("POST/items/a b"),
        "resource": "/items/{id}",
        "path": "/items/a b",
        "httpMethod": "POST",
        "queryStringParameters": {"x": "2", "y": "é"},
        "multiValueQueryStringParameters": {"x": ["1", "2"], "y": ["é"]},
        "pathParameters": {"id": "a b"},
        "stageVariables": {"who": "them"},
    }
    # As in the proxy integration's event, but for what the authorizer itself gives.
    told = answer.json
    assert {**told, "authorizer": None} == {**context, "authorizer": None}
    assert context["identity"]["sourceIp"] == "127.0.0.1" and "authorizer" not in context
    # AWS: maps without entries are empty, not null.
    guarded.get("/a", None)
    plain = judge.events[-1]
    empty = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters")
    assert [plain[name] for name in empty] == [{}, {}, {}]


SOURCES = {
    "a header": (TOKEN, {"Token": "x"}, ""),
    "an argument": ("method.request.querystring.q", {}, "?q=x"),
    "a stage variable": ("stageVariables.who", {}, ""),
    "the context": ("context.identity.userAgent", {"User-Agent": "x"}, ""),
    "all kinds": (
        f"{TOKEN}, method.request.querystring.q, stageVariables.who,context.httpMethod",
        {"Token": "x"},
        "?q=x",
    ),
}


@pytest.mark.parametrize("ttl", [0, 300])
@pytest.mark.parametrize("case", SOURCES)
def test_identity_sources(alone: Server, functions: dict[str, str], judge: Judge, case: str, ttl: int) -> None:
    """All of them have to be there, or the function is not even called."""
    source, headers, query = SOURCES[case]
    guarded = Guarded(alone, functions, "REQUEST", identitySource=source, authorizerResultTtlInSeconds=ttl)
    judge.says = allowing()
    assert guarded.get(f"/a{query}", None, **headers).status == 200
    before = len(judge.received)
    missing = [("/a", {}), ("/a?q=", dict.fromkeys(headers, ""))]
    if "Token" in headers and query:
        missing += [("/a", headers), (f"/a{query}", {}), ("/a?q=x&q=", headers), ("/a?Q=x", headers)]
    for path, sent in missing if headers or query else ():
        refused = guarded.get(path, None, **sent)
        assert (refused.status, refused.json) == (401, REFUSED[401]), (path, sent)
    if case == "a stage variable":
        stage = {"restApiId": guarded.api.id, "stageName": "prod"}
        guarded.client.update_stage(**stage, patchOperations=[{"op": "remove", "path": "/variables/who"}])
        assert guarded.get("/a", None).status == 401
    assert len(judge.received) == before


def test_without_identity_sources_every_request_is_asked_about(
    alone: Server, functions: dict[str, str], judge: Judge
) -> None:
    guarded = Guarded(alone, functions, "REQUEST", authorizerResultTtlInSeconds=0)
    judge.says = allowing()
    before = len(judge.received)
    assert [guarded.get("/a", None).status for _ in range(2)] == [200, 200]
    assert len(judge.received) == before + 2


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("abc", 200),
        ("Bearer 1", 200),
        ("Bearer ", 401),
        ("abc1", 401),
        ("ABC", 401),
        ("1abc", 401),
        ("", 401),
        (None, 401),
    ],
)
def test_a_token_has_to_match_as_a_whole(uncached: Guarded, judge: Judge, token: str | None, status: int) -> None:
    judge.says = allowing()
    before = len(judge.received)
    answer = uncached.get("/a", token)
    assert answer.status == status
    assert len(judge.received) - before == (status == 200)
    if status == 401:
        assert (answer.json, answer.header("x-amzn-ErrorType")) == (REFUSED[401], "UnauthorizedException")


POLICIES: dict[str, tuple[list[Any], str | None]] = {
    "the method": ([statement("{arn}GET/a")], None),
    "another method": ([statement("{arn}GET/b")], SILENT),
    "another verb": ([statement("{arn}POST/a")], SILENT),
    "any verb": ([statement("{arn}*/a")], None),
    "any path": ([statement("{arn}GET/*")], None),
    "one character": ([statement("{arn}GET/?")], None),
    "two characters": ([statement("{arn}GET/??")], SILENT),
    "another stage": ([statement("{api}/dev/GET/a")], SILENT),
    "any stage": ([statement("{api}/*/GET/a")], None),
    "another API": ([statement("arn:aws:execute-api:us-east-1:000000000000:other/*")], SILENT),
    "any API": ([statement("arn:aws:execute-api:*:*:*")], None),
    "a list of resources": ([statement(["{arn}GET/b", "{arn}GET/a"])], None),
    "a list of actions": ([statement("*", action=["execute-api:Invoke", "execute-api:ManageConnections"])], None),
    "any action": ([statement("*", action="execute-api:*")], None),
    "another action": ([statement("*", action="execute-api:ManageConnections")], SILENT),
    "an action of another service": ([statement("*", action="s3:*")], SILENT),
    "a denial": ([statement("*", "Deny")], EXPLICIT),
    "a denial beside": ([statement("*"), statement("{arn}GET/a", "Deny")], EXPLICIT),
    "a denial before": ([statement("{arn}GET/a", "Deny"), statement("*")], EXPLICIT),
    "a denial of something else": ([statement("{arn}GET/b", "Deny"), statement("*")], None),
    "the second of many": ([statement("{arn}GET/b"), statement("{arn}GET/a"), statement("{arn}GET/c")], None),
    "a condition that holds": ([{**statement("*"), "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}], None),
    "a condition that does not": ([{**statement("*"), "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}], SILENT),
    "nothing": ([{**statement("*"), "Resource": "none"}], SILENT),
}  # fmt: skip


@pytest.mark.parametrize("case", POLICIES)
def test_policies(uncached: Guarded, judge: Judge, case: str) -> None:
    statements, denied = POLICIES[case]
    filled = json.dumps(statements).replace("{arn}", uncached.arn(""))
    filled = filled.replace("{api}", uncached.arn("").removesuffix("/prod/"))
    judge.says = allowing(*json.loads(filled))
    answer = uncached.get()
    if denied is None:
        assert answer.status == 200
    else:
        assert (answer.status, answer.json) == (403, {"Message": denied})
        assert answer.header("x-amzn-ErrorType") == "AccessDeniedException"


def test_the_context_is_text(uncached: Guarded, judge: Judge) -> None:
    context = {
        "text": "é", "empty": "", "whole": 7, "fraction": 1.5, "yes": True, "no": False, "nothing": None,
        "principalId": "other", "integrationLatency": "never",
    }  # fmt: skip
    judge.says = allowing(context=context)
    given = uncached.get().json["authorizer"]
    assert isinstance(given.pop("integrationLatency"), int)
    assert given == {
        "text": "é", "empty": "", "whole": "7", "fraction": "1.5", "yes": "true", "no": "false", "principalId": "me",
    }  # fmt: skip


POLICY = {"Version": "2012-10-17", "Statement": [statement("*")]}
FAILURES: dict[str, tuple[dict[str, Any], int]] = {
    "it says Unauthorized": ({"raise": "Unauthorized"}, 401),
    "it says so in other letters": ({"raise": "unauthorized"}, 500),
    "it says more than that": ({"raise": "Unauthorized: no"}, 500),
    "it throws something else": ({"raise": "secret of the function"}, 500),
    "it dies": ({"exit": 3}, 500),
    "it answers nothing": ({"return": None}, 500),
    "it answers a text": ({"return": "Allow"}, 500),
    "it answers a list": ({"return": [allowing()["return"]]}, 500),
    "no principalId": ({"return": {"policyDocument": POLICY}}, 500),
    "an empty principalId": ({"return": {"principalId": "", "policyDocument": POLICY}}, 500),
    "a principalId that is no text": ({"return": {"principalId": 5, "policyDocument": POLICY}}, 500),
    "no policy": ({"return": {"principalId": "me"}}, 500),
    "a policy that is text": ({"return": {"principalId": "me", "policyDocument": json.dumps(POLICY)}}, 500),
    "a policy without statements": ({"return": {"principalId": "me", "policyDocument": {"Version": "2012-10-17"}}}, 500),
    "an effect that there is not": (allowing(statement("*", "allow")), 500),
    "a statement without an action": (allowing({"Effect": "Allow", "Resource": "*"}), 500),
    "a statement without a resource": (allowing({"Effect": "Allow", "Action": "*"}), 500),
    "a resource that is too long": (allowing(statement("arn:aws:execute-api:" + "x" * 512)), 500),
    "a principal": (allowing({**statement("*"), "Principal": "*"}), 500),
    "an operator that there is not": (allowing({**statement("*"), "Condition": {"Is": {"aws:SourceIp": "1.1.1.1"}}}), 500),
    "a list in the context": (allowing(context={"roles": ["a"]}), 500),
    "an object in the context": (allowing(context={"user": {}}), 500),
    "a context that is no object": (allowing(context="x"), 500),
    "a usage key that is no text": (allowing(usageIdentifierKey=5), 500),
    "an answer beyond Lambda's limit": ({**allowing()["return"], "pad": 6 * 1024 * 1024 + 1}, 500),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES)
def test_failures(uncached: Guarded, judge: Judge, case: str) -> None:
    judge.says, status = FAILURES[case]
    answer = uncached.get()
    assert (answer.status, answer.json) == (status, REFUSED[status])
    kind = {401: "UnauthorizedException", 500: "AuthorizerConfigurationException"}[status]
    assert answer.header("x-amzn-ErrorType") == kind


def test_a_function_that_may_not_be_called_or_is_too_slow(
    alone: Server, functions: dict[str, str], judge: Judge
) -> None:
    judge.says = allowing()
    before = len(judge.received)
    locked = Guarded(alone, functions, "TOKEN", identitySource=TOKEN, function="locked").get()
    assert (locked.status, locked.json, len(judge.received)) == (500, REFUSED[500], before)
    slow = Guarded(alone, functions, "TOKEN", identitySource=TOKEN, function="slow")
    released = threading.Event()
    judge.answer = lambda call: (released.wait(20), judge._told(call))[1]  # type: ignore[assignment, return-value]
    try:
        late = slow.get()
    finally:
        judge.answer = judge._told
        released.set()
    assert (late.status, late.json) == (500, REFUSED[500])
    # What failed is not kept.
    assert slow.get().status == 200


def at(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.json.get("authorizer", {}).get("call")


def test_answers_are_kept(alone: Server, functions: dict[str, str], judge: Judge) -> None:
    guarded = Guarded(alone, functions, "TOKEN", identitySource=TOKEN, authorizerResultTtlInSeconds=60)
    guarded.deploy("dev")
    own = guarded.arn("GET/a")

    def asked(*statements: Any) -> None:
        judge.says = allowing(*statements, context={"call": len(judge.received)})

    asked(statement(own))
    first = at(guarded.get())
    asked(statement("*"))
    assert first[0] == 200 and at(guarded.get()) == first
    # AWS: one policy for all methods of the stage, decided anew for each: what names one method denies the others.
    other = guarded.get("/b")
    assert (other.status, other.json) == (403, {"Message": SILENT})
    assert guarded.get("/a", method="POST").status == 403
    # Another token, another stage, and an answer that has been forgotten are asked about.
    count = len(judge.received)
    assert guarded.get("/b", "other").status == 200
    assert alone.call(guarded.api.id, "/dev/b", headers={"Token": "t"}).status == 200
    guarded.client.flush_stage_authorizers_cache(restApiId=guarded.api.id, stageName="prod")
    assert guarded.get("/b").status == 200
    assert len(judge.received) == count + 3
    # Denials are kept as well, failures are not.
    asked(statement("*", "Deny"))
    assert guarded.get("/a", "denied").status == 403
    asked()
    assert guarded.get("/a", "denied").status == 403
    for says, status in (({"raise": "Unauthorized"}, 401), ({"raise": "x"}, 500), (allowing(), 200)):
        judge.says = says
        assert guarded.get("/a", "failing").status == status
    # It ends with its time.
    count = len(judge.received)
    for seconds, more in ((59, 0), (2, 1)):
        alone.request("POST", "/_tidegate/clock", body=json.dumps({"advance": seconds}).encode())
        assert guarded.get("/b").status == 200
        count += more
        assert len(judge.received) == count


def test_what_an_answer_is_kept_under(alone: Server, functions: dict[str, str], judge: Judge) -> None:
    sources = f"{TOKEN},method.request.querystring.q"
    guarded = Guarded(alone, functions, "REQUEST", identitySource=sources)
    judge.says = allowing()
    count = len(judge.received)
    several: list[tuple[str, tuple[str, ...]]] = [
        ("?q=1", ("t",)), ("?q=2", ("t",)), ("?q=1", ("u",)), ("?q=t", ("1",)), ("?q=1&q=2", ("t",)), ("?q=2&q=1", ("t",)),
        ("?q=1", ("t", "u")), ("?q=1", ("u", "t")), ("?q=1", ("t,u",)), ("?q=1,2", ("t",)),
    ]  # fmt: skip
    for _ in range(2):
        for query, tokens in several:
            head = "".join(f"Token: {token}\r\n" for token in tokens)
            assert raw(alone, guarded.api.id, f"/prod/a{query}", head) == 200
    # Whatever the function can tell apart is told apart; what is no identity source is not.
    assert len(judge.received) == count + len(several)
    assert guarded.get("/a?q=1&other=x", "t", Other="y").status == 200
    assert len(judge.received) == count + len(several)
    # Another identity source, another question: old answers are no answers to it.
    patch = [
        {
            "op": "replace",
            "path": "/identitySource",
            "value": f"method.request.header.Other,{sources[len(TOKEN) + 1 :]}",
        }
    ]
    guarded.client.update_authorizer(restApiId=guarded.api.id, authorizerId=guarded.authorizer, patchOperations=patch)
    guarded.deploy()
    assert guarded.get("/a?q=1", None, Other="t").status == 200
    assert len(judge.received) == count + len(several) + 1


def request_bytes(api: str, target: str, head: str) -> bytes:
    host = f"Host: {api}.execute-api.us-east-1.amazonaws.com\r\n"
    return f"GET {target} HTTP/1.1\r\n{host}{head}Connection: close\r\n\r\n".encode()


def raw(server: Server, api: str, target: str, head: str) -> int:
    """The status of a request as it stands, repeated headers and all."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request_bytes(api, target, head))
        return status_of(connection)


def status_of(connection: socket.socket) -> int:
    answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split(b" ", 2)[1])


def test_two_tokens_are_none(uncached: Guarded, judge: Judge) -> None:
    """The function would see one of them and the backend the other."""
    judge.says = allowing()
    count = len(judge.received)
    assert raw(uncached.server, uncached.api.id, "/prod/a", "Token: good\r\nTOKEN: evil\r\n") == 401
    assert len(judge.received) == count


def test_fifty_at_once_ask_once(alone: Server, functions: dict[str, str], judge: Judge) -> None:
    guarded = Guarded(alone, functions, "TOKEN", identitySource=TOKEN)
    judge.says = allowing()
    while not judge.arrivals.empty():
        judge.arrivals.get()
    count = len(judge.received)
    released = threading.Event()
    judge.answer = lambda call: (released.wait(20), judge._told(call))[1]  # type: ignore[assignment, return-value]
    connections = [socket.create_connection(("127.0.0.1", alone.port), timeout=30) for _ in range(50)]
    try:
        for connection in connections:
            connection.sendall(request_bytes(guarded.api.id, "/prod/a", "Token: same\r\n"))
        judge.next()
        # By now the gateway has read what was sent before.
        assert guarded.get("/bare").status == 200
        released.set()
        assert {status_of(connection) for connection in connections} == {200}
    finally:
        judge.answer = judge._told
        released.set()
        for connection in connections:
            connection.close()
    assert len(judge.received) == count + 1


def test_keys_that_the_authorizer_gives(alone: Server, functions: dict[str, str], judge: Judge) -> None:
    """apiKeySource AUTHORIZER: the header does not count, whatever it says."""
    options = {"identitySource": TOKEN, "authorizerResultTtlInSeconds": 0, "api": {"apiKeySource": "AUTHORIZER"}}
    guarded = Guarded(alone, functions, "TOKEN", **options)
    patch = [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]
    guarded.client.update_method(
        restApiId=guarded.api.id, resourceId=guarded.api.resources["/a"], httpMethod="ANY", patchOperations=patch
    )
    guarded.client.update_method(
        restApiId=guarded.api.id, resourceId=guarded.api.resources["/bare"], httpMethod="GET", patchOperations=patch
    )
    guarded.deploy()
    guarded.deploy("dev")

    def key(name: str, *, stage: str | None, enabled: bool = True) -> tuple[str, str]:
        made = guarded.client.create_api_key(name=name, enabled=enabled)
        if stage is not None:
            plan = guarded.client.create_usage_plan(name=name, apiStages=[{"apiId": guarded.api.id, "stage": stage}])
            guarded.client.create_usage_plan_key(usagePlanId=plan["id"], keyId=made["id"], keyType="API_KEY")
        return made["id"], made["value"]

    good_id, good = key("good", stage="prod")
    bad = {
        "none": None,
        "unknown": "x" * 40,
        "empty": "",
        "without a plan": key("planless", stage=None)[1],
        "of another stage": key("elsewhere", stage="dev")[1],
        "disabled": key("disabled", stage="prod", enabled=False)[1],
    }
    judge.says = allowing(usageIdentifierKey=good)
    answer = guarded.get(**{"x-api-key": "other"})
    assert (answer.status, answer.json["identity"]["apiKeyId"]) == (200, good_id)
    # Where no authorizer is asked, nobody gives a key.
    assert guarded.get("/bare", **{"x-api-key": good}).status == 403
    for case, value in bad.items():
        judge.says = allowing() if value is None else allowing(usageIdentifierKey=value)
        # A good key in the header opens nothing.
        refused = guarded.get(**{"x-api-key": good})
        assert (refused.status, refused.json) == (403, {"message": "Forbidden"}), case
        assert refused.header("x-amzn-ErrorType") == "ForbiddenException"
        # Methods that need no key do not ask for it.
        assert guarded.get("/b", **{"x-api-key": good}).status == 200


@pytest.mark.parametrize(
    ("says", "token", "status", "logged"),
    [
        (allowing(context={"n": 1}), "abc", 0, "Successfully completed authorizer execution"),
        (allowing(), "ABC", 401, "Unauthorized request"),
        (allowing(), None, 401, "Unauthorized request"),
        ({"raise": "Unauthorized"}, "abc", 401, "Unauthorized request"),
        ({"raise": "other"}, "abc", 500, "Execution failed due to configuration error: Authorizer error"),
        (allowing(statement("*", "allow")), "abc", 500, "Execution failed due to configuration error"),
        ({"return": {"principalId": "me"}}, "abc", 500, "Execution failed due to configuration error"),
    ],
)
def test_tried_out_it_answers_the_same(
    uncached: Guarded, judge: Judge, says: dict[str, Any], token: str | None, status: int, logged: str
) -> None:
    """TestInvokeAuthorizer and the gateway agree."""
    judge.says = says
    headers = {} if token is None else {"Token": token}
    at = {"restApiId": uncached.api.id, "authorizerId": uncached.authorizer}
    tried = uncached.client.test_invoke_authorizer(**at, headers=headers, pathWithQueryString="/a")
    assert tried["clientStatus"] == status and logged in tried["log"]
    assert uncached.get("/a", token).status == (status or 200)
    if status == 0:
        assert (tried["principalId"], tried["authorization"]) == ("me", {"n": ["1"]})
        arn = uncached.arn("GET/a").replace("/prod/", "/ESTestInvoke-stage/")
        assert judge.events[-2] == {"type": "TOKEN", "methodArn": arn, "authorizationToken": token}
