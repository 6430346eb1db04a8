"""AWS with any service: a signed request to the service's endpoint, and its answer through an integration response.

Source: *AWS integrations*; shared facts, rest-data-plane §12.5. Not here: where the services are (`ServiceEndpoints`), whose
keys sign (`CredentialSource`).
"""

from __future__ import annotations

import asyncio

from tidegate.aws.caller import CredentialSource, ServiceEndpoints
from tidegate.aws.credentials import CredentialError
from tidegate.aws.query_json import xml_to_json
from tidegate.aws.sigv4 import Credentials, sign
from tidegate.core.clock import Clock
from tidegate.core.message import Headers, Response, Upstream, UpstreamError, UpstreamResponse, UpstreamTimeout
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.outbound import Inbound, Outbound, headers_of, path_of, query_of
from tidegate.gateway.responses import configuration_error
from tidegate.gateway.transform import outbound_body, respond
from tidegate.plan.nodes import AwsPlan

_DROPPED = frozenset(
    {"connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)


class Aws:
    def __init__(
        self, upstream: Upstream, endpoints: ServiceEndpoints, credentials: CredentialSource, clock: Clock
    ) -> None:
        self._upstream = upstream
        self._endpoints = endpoints
        self._credentials = credentials
        self._clock = clock

    def outbound(self, exchange: Exchange, plan: AwsPlan) -> Outbound:
        body = outbound_body(exchange, plan.request)
        if plan.arguments_in_query and not any(name.lower() == "content-type" for name in exchange.overrides.header):
            # The service would not look at a body that is no form; that there is a form is how some of them know the protocol.
            body = b""
        fixed = [("Accept", "application/json"), *plan.headers, ("X-Amzn-Trace-Id", exchange.trace_id)]
        if plan.arguments_in_query:
            fixed.append(("Content-Type", "application/x-www-form-urlencoded"))
        elif body and not any(name == "Content-Type" for name, _ in plan.headers):
            fixed.append(("Content-Type", "application/json"))
        return Outbound(
            verb=exchange.verb if plan.verb == b"ANY" else plan.verb.decode(),
            path=path_of(exchange, plan.path),
            query=query_of(exchange, plan.query, plan.query_sources),
            headers=headers_of(exchange, fixed, plan.header_sources, _DROPPED),
            body=body,
        )

    async def send(self, exchange: Exchange, plan: AwsPlan, outbound: Outbound) -> UpstreamResponse:
        try:
            async with asyncio.timeout(plan.timeout):
                origin = await self._endpoints.origin(plan.service, plan.region)
                credentials = await self._credentials_of(exchange, plan)
        except CredentialError as error:
            raise configuration_error(f"Execution failed due to configuration error: {error}") from error
        except TimeoutError:
            raise UpstreamTimeout(f"no endpoint or credentials for {plan.service} in time") from None
        headers = {"Host": origin.authority, **outbound.headers}
        added = sign(
            credentials,
            region=plan.region,
            service=plan.service,
            now=self._clock.now(),
            method=outbound.verb,
            path=outbound.path,
            query=outbound.query,
            headers=headers,
            body=outbound.body,
        )
        head = outbound.head([("Host", origin.authority), *added.items()])
        head_only = outbound.verb == "HEAD"
        return await self._upstream.send(origin, head, outbound.body, timeout=plan.timeout, head_only=head_only)

    async def _credentials_of(self, exchange: Exchange, plan: AwsPlan) -> Credentials:
        """Raises CredentialError. Never the gateway's own in the place of the caller's: a test invocation has no caller."""
        if not plan.by_caller:
            return await self._credentials.credentials(plan.credentials, exchange.stage.account)
        if exchange.signer is None:
            raise CredentialError("the request has no credentials to pass on")
        return exchange.signer

    def response(self, exchange: Exchange, plan: AwsPlan, inbound: UpstreamResponse) -> Response:
        exchange.integration_status = inbound.status
        headers, body = Headers.of(inbound.headers), inbound.body
        if plan.answers_xml is not None and b"xml" in (headers.get(b"content-type") or b""):
            try:
                body = xml_to_json(body, plan.answers_xml)
            except ValueError as error:
                raise UpstreamError(f"{plan.service}: {error}") from None
        return respond(exchange, plan.answer, str(inbound.status), Inbound(inbound.status, headers, body))

    def sent(self, exchange: Exchange, plan: AwsPlan, outbound: Outbound) -> Sent:
        uri = f"https://{plan.service}.{plan.region}.amazonaws.com{outbound.target}"
        return Sent(uri, [(n.encode(), v.encode()) for n, v in outbound.headers.items()], outbound.body)

    def received(self, inbound: UpstreamResponse) -> Received:
        return Received(inbound.status, inbound.headers, inbound.body)
