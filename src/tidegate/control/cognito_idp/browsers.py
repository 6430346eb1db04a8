"""Users' calls from pages of other sites: applications in browsers call the pool themselves (CORS).

Only what needs no credentials is opened to them. A page may then send headers that name any service's operation, unsigned: such
a call is refused unless it is a user's own, so that no site that a developer happens to visit manages the server.
Source: *CORS* of the Fetch standard; the headers that AWS's client libraries send.
"""

from __future__ import annotations

from collections.abc import Callable

from tidegate.aws.scope import Credential
from tidegate.control.cognito_idp.service import CognitoService
from tidegate.control.sites import of_another_site
from tidegate.core.message import Endpoint, Request, Response

_MAX_BODY = 256 * 1024
_JSON = (b"Content-Type", b"application/x-amz-json-1.1")
_ANY_ORIGIN = (b"Access-Control-Allow-Origin", b"*")
_EXPOSED = (b"Access-Control-Expose-Headers", b"x-amzn-RequestId, x-amzn-ErrorType")
_HEADERS = frozenset(
    {
        *(b"amz-sdk-invocation-id", b"amz-sdk-request", b"cache-control", b"content-type"),
        *(b"x-amz-api-version", b"x-amz-target", b"x-amz-user-agent"),
    }
)


class BrowserCalls:
    def __init__(self, service: Callable[[], CognitoService], region: str) -> None:
        """`service`: asked for at each call. `region`: of calls that name none."""
        self._service = service
        self._region = region
        self._preflight = Endpoint(_allow, _MAX_BODY, _too_large)
        self._call = Endpoint(self._answer, _MAX_BODY, _too_large)
        self._refusal = Endpoint(_refuse, _MAX_BODY, _too_large)

    def endpoint(self, request: Request) -> Endpoint | None:
        """Who serves this request; None: it is no such call."""
        if not of_another_site(request):
            return None
        if request.method == "OPTIONS" and request.path == "/":
            return self._preflight if b"x-amz-target" in _wanted(request) else None
        if b"x-amz-target" not in request.headers or b"authorization" in request.headers:
            return None
        return self._call if self._service().is_public(request) else self._refusal

    async def _answer(self, request: Request) -> Response:
        response = await self._service().handle(request, Credential("", "", "cognito-idp"), self._region)
        response.headers += [_ANY_ORIGIN, _EXPOSED]
        return response


def _wanted(request: Request) -> set[bytes]:
    asked = request.headers.get(b"access-control-request-headers") or b""
    return {name.strip().lower() for name in asked.split(b",")}


async def _allow(request: Request) -> Response:
    allowed = b", ".join(sorted(_wanted(request) & _HEADERS))
    head = [
        _ANY_ORIGIN,
        (b"Access-Control-Allow-Methods", b"POST"),
        (b"Access-Control-Allow-Headers", allowed),
        (b"Access-Control-Max-Age", b"3600"),
    ]
    return Response(204, head)


async def _refuse(_request: Request) -> Response:
    text = b'{"__type":"AccessDeniedException","message":"Unsigned calls from other sites are refused"}'
    return Response(403, [_JSON], text)


def _too_large(_request: Request) -> Response:
    return Response(413, [_JSON], b'{"__type":"RequestEntityTooLargeException"}', close=True)
