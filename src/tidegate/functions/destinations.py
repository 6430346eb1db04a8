"""Sends the results of asynchronous invocations on: to queues, topics, event buses and functions.

Not here: what a record says (events). What cannot be sent is tried three times, then logged and dropped, as on AWS.

AWS: "Retaining records of asynchronous invocations", "Adding a dead-letter queue".
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from tidegate.aws.caller import AwsCaller
from tidegate.aws.scope import Scope
from tidegate.core.arns import Arn
from tidegate.core.clock import Clock
from tidegate.core.message import UpstreamError
from tidegate.functions.events import Event, error_message, invocation_record
from tidegate.functions.spec import EventPolicy, InvokeError, InvokeResult

log = logging.getLogger("tidegate.functions")

_ATTEMPTS: Final = 3
_PAUSE: Final = 1.0
"""Seconds before the second attempt, twice that before the third."""


class DeliveryError(Exception):
    """A destination does not take a record; the message says why."""


class Destinations:
    """Implements `asynchronous.Deliveries`."""

    def __init__(
        self, caller: AwsCaller, clock: Clock, submit: Callable[[str, bytes, tuple[str, ...]], Awaitable[object]]
    ) -> None:
        """`submit`: invokes one of our functions asynchronously: ARN, event, and the functions that led to it."""
        self._caller = caller
        self._clock = clock
        self._submit = submit

    async def tell(self, event: Event, policy: EventPolicy, condition: str, result: InvokeResult | None) -> None:
        success = condition == "Success"
        destination = policy.on_success if success else policy.on_failure
        if destination:
            record = invocation_record(event, condition, result, self._clock.time())
            await self._deliver(event, destination, lambda arn: self._record(arn, event, record, success=success))
        if policy.dead_letter and not success:
            message = error_message(result, condition)
            await self._deliver(event, policy.dead_letter, lambda arn: self._letter(arn, event, message))

    async def _deliver(self, event: Event, destination: str, send: Callable[[Arn], Awaitable[None]]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await send(Arn.parse(destination))
            except (DeliveryError, UpstreamError, InvokeError, ValueError) as error:
                hopeless = isinstance(error, InvokeError) and error.status < 500 and error.status != 429
                if hopeless or attempt == _ATTEMPTS:
                    log.error("the result of %s (%s) is lost: %s: %s", event.arn, event.id, destination, error)
                    return
                await asyncio.sleep(_PAUSE * attempt)
            else:
                return

    async def _record(self, arn: Arn, event: Event, record: Mapping[str, Any], *, success: bool) -> None:
        body = json.dumps(record, separators=(",", ":"))
        if arn.service == "sqs":
            await self._send_message(arn, body, {})
        elif arn.service == "sns":
            await self._publish(arn, body, {})
        elif arn.service == "events":
            await self._put_event(arn, body, record["requestContext"]["functionArn"], success=success)
        else:
            await self._submit(str(arn), body.encode(), (*event.origin, event.arn))

    async def _letter(self, arn: Arn, event: Event, message: str) -> None:
        """AWS: the event as it came, and why it failed as attributes."""
        attributes = {
            "RequestID": ("String", event.id),
            "ErrorCode": ("Number", "200"),
            "ErrorMessage": ("String", message or "unknown"),
        }
        send = self._send_message if arn.service == "sqs" else self._publish
        await send(arn, event.payload.decode("utf-8", "replace"), attributes)

    async def _send_message(self, arn: Arn, body: str, attributes: Mapping[str, tuple[str, str]]) -> None:
        document: dict[str, Any] = {
            "QueueUrl": f"https://sqs.{arn.region}.amazonaws.com/{arn.account}/{arn.resource}",
            "MessageBody": body,
        }
        if attributes:
            document["MessageAttributes"] = {
                name: {"DataType": kind, "StringValue": value} for name, (kind, value) in attributes.items()
            }
        await self._json(arn, "AmazonSQS.SendMessage", "1.0", document)

    async def _put_event(self, arn: Arn, detail: str, function_arn: str, *, success: bool) -> None:
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {'Success' if success else 'Failure'}",
            "Detail": detail,
            "Resources": [str(arn), function_arn],
            "EventBusName": arn.resource.removeprefix("event-bus/"),
        }
        answer = await self._json(arn, "AWSEvents.PutEvents", "1.1", {"Entries": [entry]})
        if answer.get("FailedEntryCount"):
            raise DeliveryError(f"the event bus refuses the event: {answer.get('Entries')}")

    async def _json(self, arn: Arn, target: str, version: str, document: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
        return json.loads(await self._call(arn, headers, json.dumps(document).encode()) or b"{}") or {}

    async def _publish(self, arn: Arn, body: str, attributes: Mapping[str, tuple[str, str]]) -> None:
        form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": str(arn), "Message": body}
        for number, (name, (kind, value)) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            form |= {f"{entry}.Name": name, f"{entry}.Value.DataType": kind, f"{entry}.Value.StringValue": value}
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        await self._call(arn, headers, urlencode(form).encode())

    async def _call(self, arn: Arn, headers: Mapping[str, str], body: bytes) -> bytes:
        scope = Scope(arn.account, arn.region)
        answer = await self._caller.call(arn.service, scope, "POST", "/", headers=headers, body=body)
        if answer.status >= 300:
            text = answer.body[:300].decode("utf-8", "replace")
            raise DeliveryError(f"{arn.service} answers {answer.status}: {text}")
        return answer.body
