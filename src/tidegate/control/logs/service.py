"""Reading logs: groups, streams and events, out of what the function service keeps of every function's lines.

Kept is the last part of each function's log, in memory (half a megabyte; `functions.logs`): what is older, or was written
before the last start, is in the files below the data directory only.

AWS: *FilterLogEvents*, *GetLogEvents*, *DescribeLogStreams* (CloudWatch Logs API Reference).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tidegate.aws.json_rpc import JsonRpc
from tidegate.aws.model import Params
from tidegate.aws.rest import Operation
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.context import Context
from tidegate.control.logs import groups
from tidegate.control.logs.filters import compile_pattern
from tidegate.control.logs.needs import needs
from tidegate.control.service import ManagementService, Office
from tidegate.core.arns import function_arn
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.definition.records import LogGroup
from tidegate.state.callers import Caller

T = TypeVar("T")

_READS = ("DeleteLogGroup", "DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents")
_MOST_EVENTS = 10_000
_DAY = 86_400_000


class Line(Protocol):
    """One line of a function's log, as the function service keeps it."""

    @property
    def at(self) -> float: ...
    @property
    def text(self) -> bytes: ...
    @property
    def stream(self) -> str: ...
    @property
    def number(self) -> int: ...


class LogSource(Protocol):
    def tail(self, arn: str, count: int) -> Sequence[Line]:
        """The last lines of a function's log, oldest first."""
        ...

    def forget_log(self, arn: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Event:
    number: int
    stream: str
    timestamp: int
    """Milliseconds since the epoch."""
    message: str

    @property
    def id(self) -> str:
        """Stable, unique within its group, and sorted as the events are."""
        return f"{self.timestamp:020d}{self.number:036d}"


class LogsService(ManagementService):
    def __init__(self, office: Office, protocol: JsonRpc, source: LogSource) -> None:
        unsupported = dict.fromkeys(
            (name for name in protocol.operations if name not in groups.OPERATIONS and name not in _READS),
            "the logs of functions can be read, and their groups managed",
        )
        super().__init__(office, protocol, groups.OPERATIONS, unsupported)
        self._source = source
        self._reads: dict[str, Callable[[Params, Scope], Any]] = {
            "DeleteLogGroup": self._delete_group,
            "DescribeLogGroups": self._describe_groups,
            "DescribeLogStreams": self._describe_streams,
            "FilterLogEvents": self._filter,
            "GetLogEvents": self._get,
        }

    def needs(
        self, caller: Caller, form: Operation, labels: Mapping[str, str], params: Params, scope: Scope
    ) -> Sequence[Need]:
        return needs(form.name, params, scope)

    async def call(self, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        read = self._reads.get(form.name)
        return await (super().call(form, params, scope, request) if read is None else read(params, scope))

    async def _delete_group(self, params: Params, scope: Scope) -> None:
        name = await self._office.run(scope, groups.delete, params)
        if name.startswith(groups.OF_FUNCTIONS):
            self._source.forget_log(_function_of(name, scope))

    async def _describe_groups(self, params: Params, scope: Scope) -> dict[str, Any]:
        prefix, pattern = params.get("log_group_name_prefix"), params.get("log_group_name_pattern")
        if prefix and pattern:
            text = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            raise ControlError("InvalidParameterException", text)
        given = {groups.name_of(name) for name in params.get("log_group_identifiers") or ()}
        found: list[LogGroup] = await self._office.run(scope, groups.groups_of, {})
        shown = []
        for group in found:
            events = self._events(group, scope)
            named = (not prefix or group.name.startswith(prefix)) and (
                not pattern or fnmatch.fnmatchcase(group.name.lower(), f"*{pattern.lower()}*")
            )
            # AWS: a function's group is there since its first line.
            if named and (not given or group.name in given) and (group.creation_time or events):
                shown.append(_shown_group(group, events, scope))
        page, token = _page(shown, params, lambda one: str(one["log_group_name"]))
        return {"log_groups": page, "next_token": token}

    async def _describe_streams(self, params: Params, scope: Scope) -> dict[str, Any]:
        group = await self._group(params, scope)
        streams: dict[str, list[Event]] = {}
        for event in self._events(group, scope):
            streams.setdefault(event.stream, []).append(event)
        by_time = params.get("order_by") == "LastEventTime"
        if by_time and params.get("log_stream_name_prefix"):
            text = "Cannot order by LastEventTime with a logStreamNamePrefix."
            raise ControlError("InvalidParameterException", text)
        shown = [
            {
                "log_stream_name": name,
                "creation_time": events[0].timestamp,
                "first_event_timestamp": events[0].timestamp,
                "last_event_timestamp": events[-1].timestamp,
                "last_ingestion_time": events[-1].timestamp,
                "upload_sequence_token": f"{events[-1].number:056d}",
                "arn": f"{_arn(group, scope)}:log-stream:{name}",
                "stored_bytes": 0,
            }
            for name, events in streams.items()
            if name.startswith(params.get("log_stream_name_prefix") or "")
        ]
        shown.sort(
            key=lambda one: (one["last_event_timestamp"] if by_time else 0, one["log_stream_name"]),
            reverse=bool(params.get("descending")),
        )
        page, token = _page(shown, params, lambda one: str(one["log_stream_name"]))
        return {"log_streams": page, "next_token": token}

    async def _filter(self, params: Params, scope: Scope) -> dict[str, Any]:
        group = await self._group(params, scope)
        names, prefix = params.get("log_stream_names"), params.get("log_stream_name_prefix")
        if names and prefix:
            text = "logStreamNamePrefix and logStreamNames are mutually exclusive."
            raise ControlError("InvalidParameterException", text)
        matches = compile_pattern(params.get("filter_pattern"))
        events = self._events(group, scope)
        if names and (unknown := set(names) - {event.stream for event in events}):
            raise _no_stream(sorted(unknown)[0])
        after = params.get("next_token") or ""
        found = [
            event
            for event in _within(events, params)
            if (not names or event.stream in names)
            and event.stream.startswith(prefix or "")
            and event.id > after
            and matches(event.message)
        ]
        most = params.get("limit") or _MOST_EVENTS
        return {
            "events": [
                {**_shown_event(event), "log_stream_name": event.stream, "event_id": event.id} for event in found[:most]
            ],
            "searched_log_streams": [],
            "next_token": found[most - 1].id if len(found) > most else None,
        }

    async def _get(self, params: Params, scope: Scope) -> dict[str, Any]:
        group = await self._group(params, scope)
        name = params["log_stream_name"]
        events = [event for event in self._events(group, scope) if event.stream == name]
        if not events:
            raise _no_stream(name)
        events = _within(events, params)
        most, token = params.get("limit") or _MOST_EVENTS, params.get("next_token") or ""
        direction, _, place = token.partition("/")
        if direction == "f":
            page = [event for event in events if event.id > place][:most]
        elif direction == "b":
            page = [event for event in events if event.id < place][-most:]
        elif token:
            raise ControlError("InvalidParameterException", "The specified nextToken is invalid.")
        else:
            page = events[:most] if params.get("start_from_head") else events[-most:]
        # AWS: at the end of a stream the token that was given comes back.
        first, last = (page[0].id, page[-1].id) if page else (place, place)
        return {
            "events": [_shown_event(event) for event in page],
            "next_forward_token": f"f/{last}",
            "next_backward_token": f"b/{first}",
        }

    async def _group(self, params: Params, scope: Scope) -> LogGroup:
        name = params.get("log_group_name") or groups.name_of(params.get("log_group_identifier") or "")

        def work(context: Context, _params: Params) -> LogGroup:
            return groups.get(context, name)

        found: LogGroup = await self._office.run(scope, work, {})
        return found

    def _events(self, group: LogGroup, scope: Scope) -> list[Event]:
        """The oldest first; those that the group's retention has done with are gone."""
        if not group.name.startswith(groups.OF_FUNCTIONS):
            return []
        oldest = 0
        if group.retention_in_days is not None:
            oldest = int(self._office.clock.time() * 1000) - group.retention_in_days * _DAY
        lines = self._source.tail(_function_of(group.name, scope), 1 << 40)
        events = [
            Event(line.number, line.stream, int(line.at * 1000), line.text.decode("utf-8", "replace") + "\n")
            for line in lines
        ]
        return [event for event in events if event.timestamp >= oldest]


def _function_of(group: str, scope: Scope) -> str:
    return function_arn(scope.region, scope.account, group.removeprefix(groups.OF_FUNCTIONS))


def _no_stream(name: str) -> ControlError:
    return ControlError("ResourceNotFoundException", f"The specified log stream does not exist: {name}")


def _within(events: list[Event], params: Params) -> list[Event]:
    """AWS: from the start time on, and before the end time."""
    start, end = params.get("start_time") or 0, params.get("end_time")
    return [event for event in events if event.timestamp >= start and (end is None or event.timestamp < end)]


def _arn(group: LogGroup, scope: Scope) -> str:
    return f"arn:aws:logs:{scope.region}:{scope.account}:log-group:{group.name}"


def _shown_group(group: LogGroup, events: list[Event], scope: Scope) -> dict[str, Any]:
    return {
        "log_group_name": group.name,
        "creation_time": group.creation_time or events[0].timestamp,
        "retention_in_days": group.retention_in_days,
        "metric_filter_count": 0,
        "arn": f"{_arn(group, scope)}:*",
        "log_group_arn": _arn(group, scope),
        "log_group_class": group.log_group_class,
        "stored_bytes": sum(len(event.message) for event in events),
    }


def _shown_event(event: Event) -> dict[str, Any]:
    return {"timestamp": event.timestamp, "ingestion_time": event.timestamp, "message": event.message}


def _page(items: list[T], params: Params, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """A token names the last item that was given out."""
    token, most = params.get("next_token"), params.get("limit") or 50
    start = 0
    if token:
        keys = [key(item) for item in items]
        if token not in keys:
            raise ControlError("InvalidParameterException", "The specified nextToken is invalid.")
        start = keys.index(token) + 1
    page = items[start : start + most]
    return page, key(page[-1]) if start + most < len(items) else None
