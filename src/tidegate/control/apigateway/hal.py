"""The HAL form of answers: `_links` and `_embedded`, for callers that do not ask for plain JSON.

Which links an entity has is read off the model's paths: what may be done with it, and what stands below it. Not here: the
plain form (aws.rest). Source: *Amazon API Gateway REST API Reference* (link relations, examples); shared facts,
rest-control-plane §9.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote

from botocore.model import Shape

from tidegate.aws.model import wire_name
from tidegate.aws.rest import Operation
from tidegate.core.message import Request

Json: TypeAlias = dict[str, Any]
_CURIE = "https://docs.aws.amazon.com/apigateway/latest/developerguide/restapi-{}-{{rel}}.html"
_ITEM = "item"
_IDS = ("id", "name", "version", "clientCertificateId")
"""Members by which entities are known where the path's label has another name."""


def wants_hal(request: Request) -> bool:
    """AWS: HAL is the answer unless plain JSON is asked for, as every SDK does."""
    return b"application/json" not in (request.headers.get(b"accept") or b"").lower()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the entities of a shape are."""

    shape: Shape
    segments: tuple[str, ...]
    key: str | None
    """The member that the last label of the path means."""

    def href(self, labels: Mapping[str, str]) -> str:
        return _path(self.segments, labels)


class Hal:
    """Made once of all operations of a service."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._operations = sorted(operations, key=lambda operation: operation.name)
        self._places = {
            operation.model.output_shape.name: _place(operation)
            for operation in self._operations
            if operation.verb == "GET" and _is_entity(operation.model.output_shape)
        }
        # AWS: the pages' names have hyphens where the entities' names have capitals.
        self._pages = {name.lower(): _hyphenated(name).replace("rest-api", "restapi") for name in self._places}

    def document(self, operation: Operation, labels: Mapping[str, str], request: Request, plain: Json) -> Json:
        """The HAL form of an operation's plain answer."""
        document = self._document(operation, labels, request, plain)
        names = sorted({rel.partition(":")[0] for rel in _relations(document) if ":" in rel})
        curies = [
            {"href": _CURIE.format(self._pages.get(name, name)), "name": name, "templated": True} for name in names
        ]
        if curies:
            document["_links"] = {"curies": _one_or_all(curies), **document["_links"]}
        return document

    def _document(self, operation: Operation, labels: Mapping[str, str], request: Request, plain: Json) -> Json:
        shape = operation.model.output_shape
        items = _items(shape)
        if items is not None:
            return self._collection(operation, labels, request, items, plain)
        place = self._places.get(shape.name)
        if place is None:
            return {"_links": {"self": {"href": request.path}}, **_with_dates(shape, plain)}
        return self._entity(place, {**labels, **_own_label(place, labels, plain)}, plain)

    def _collection(
        self, operation: Operation, labels: Mapping[str, str], request: Request, items: Shape, plain: Json
    ) -> Json:
        place = self._places.get(items.name)
        links = self._links_below(operation.segments, labels, [place.segments] if place is not None else [])
        found = plain.get(_ITEM) or []
        if place is not None:
            found = [self._entity(place, {**labels, **_own_label(place, {}, item)}, item) for item in found]
        else:
            found = [_with_dates(items, item) for item in found]
        query = f"?{request.query}" if request.query else ""
        document: Json = {"_links": {"self": {"href": request.path + query}}}
        if (position := plain.get("position")) is not None:
            rest = re.sub(r"(^|&)position=[^&]*", "", request.query).strip("&")
            document["_links"]["next"] = {"href": f"{request.path}?{f'{rest}&' if rest else ''}position={position}"}
        if found and place is not None:
            document["_links"][_ITEM] = _one_or_all([item["_links"]["self"] for item in found])
        document["_links"] |= links
        if found:
            document["_embedded"] = {_ITEM: _one_or_all(found)}
        return document

    def _entity(self, place: _Place, labels: Mapping[str, str], plain: Json) -> Json:
        name = place.shape.name
        state = _with_dates(place.shape, plain)
        links: Json = {"self": _self(place, labels, plain)}
        embedded: Json = {}
        for member, shape in place.shape.members.items():
            child = self._places.get(_child_shape(shape).name)
            value = state.get(wire_name(member, shape))
            if child is None or value is None:
                continue
            state.pop(wire_name(member, shape))
            rel = f"{name.lower()}:{member.removeprefix(name.lower()).lower()}"
            children = {"": value} if shape.type_name == "structure" else value
            hrefs, full = [], []
            for key, inner in children.items():
                below = {**labels, **({_label(child.segments[-1]) or "": key} if key else {})}
                hrefs.append(_self(child, below, inner | ({child.key: key} if key and child.key else {})))
                if inner:
                    full.append(self._entity(child, below, inner))
            if hrefs:
                links[rel] = _one_or_all(hrefs)
            if full:
                embedded[rel] = _one_or_all(full)
        links |= self._links_of(place, labels)
        return {"_links": links, **state, **({"_embedded": embedded} if embedded else {})}

    def _links_of(self, place: _Place, labels: Mapping[str, str]) -> Json:
        rel = place.shape.name.lower()
        nearer = [other.segments for other in self._places.values() if not _same(other.segments, place.segments)]
        links: Json = {}
        for operation in self._operations:
            if _same(operation.segments, place.segments) and operation.verb in ("PATCH", "DELETE", "POST"):
                link = _link(operation, _renamed(operation, place, labels))
                verb = "create-child" if operation.name.startswith("Create") else _action(operation, place.shape.name)
                links[f"{rel}:{verb}"] = link
        return {**links, **self._links_below(place.segments, labels, nearer, rel)}

    def _links_below(
        self,
        base: tuple[str, ...],
        labels: Mapping[str, str],
        nearer: list[tuple[str, ...]],
        rel: str | None = None,
    ) -> Json:
        """Links to what can be done directly below a path: not below anything else that has links of its own."""
        links: Json = {}
        for operation in self._operations:
            rest = operation.segments[len(base) :]
            at_base = rel is None and operation.segments == base and operation.verb != "GET"
            if not at_base and (not rest or not _same(operation.segments[: len(base)], base)):
                continue
            own = [other for other in nearer if len(base) < len(other) < len(operation.segments)]
            if any(_same(operation.segments[: len(other)], other) for other in own):
                continue
            if name := self._relation(operation, rest, rel):
                links.setdefault(name, _link(operation, labels))
        return links

    def _relation(self, operation: Operation, rest: tuple[str, ...], rel: str | None) -> str | None:
        shape = operation.model.output_shape
        label = _label(rest[-1]) if rest else None
        noun = re.sub(r"^(Create|Put|Get|Generate)", "", operation.name).lower()
        if operation.verb == "GET" and label is not None and shape is not None and shape.name in self._places:
            known_by = label.replace("_", "-").removeprefix(f"{noun}-")
            return f"{noun}:by-{known_by}"
        if operation.name.startswith(("Create", "Put", "Generate")):
            return f"{noun}:{re.match('[A-Z][a-z]+', operation.name)[0].lower()}"  # type: ignore[index]
        if operation.verb == "GET" and rel is not None and label is None and rest:
            named = _hyphenated(re.sub(r"^Get", "", operation.name))
            return f"{rel}:{named}"
        return None


# --- paths -----------------------------------------------------------------------------------------------------------


def _label(segment: str) -> str | None:
    return segment.strip("{}+") if segment.startswith("{") else None


def _path(segments: tuple[str, ...], labels: Mapping[str, str]) -> str:
    """With the labels that are known filled in."""
    filled = (labels.get(_label(segment) or "") for segment in segments)
    parts = zip(segments, filled, strict=True)
    return "/" + "/".join(segment if value is None else quote(value, safe="$*'():@") for segment, value in parts)


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two forms are one path, whatever their labels are called."""
    return len(one) == len(other) and all(
        a == b or (a.startswith("{") and b.startswith("{")) for a, b in zip(one, other, strict=True)
    )


def _renamed(operation: Operation, place: _Place, labels: Mapping[str, str]) -> dict[str, str]:
    """A place's labels under the names that an operation at the same path has for them."""
    pairs = zip(operation.segments, place.segments, strict=True)
    return {_label(theirs) or "": labels[_label(ours) or ""] for theirs, ours in pairs if _label(ours) in labels}


def _link(operation: Operation, labels: Mapping[str, str]) -> Json:
    href = _path(operation.segments, labels)
    shape = operation.model.input_shape
    query = [
        wire_name(name, member)
        for name, member in (shape.members.items() if shape is not None and operation.verb == "GET" else ())
        if member.serialization.get("location") == "querystring" and member.type_name != "map"
    ]
    if query:
        href += f"{{?{','.join(query)}}}"
    return {"href": href, "templated": True} if "{" in href else {"href": href}


def _self(place: _Place, labels: Mapping[str, str], plain: Json) -> Json:
    link = {"href": place.href(labels)}
    # AWS: entities that are known by a word of the caller's carry it in their link.
    if place.key in ("httpMethod", "statusCode", "stageName") and place.key in plain:
        link |= {"name": plain[place.key], "title": plain[place.key]}
    return link


# --- shapes ----------------------------------------------------------------------------------------------------------


def _items(shape: Shape) -> Shape | None:
    """What a collection holds; None: the shape is not a collection."""
    for name, member in shape.members.items():
        if wire_name(name, member) == _ITEM and member.type_name == "list":
            return member.member if member.member.type_name == "structure" else None
    return None


def _is_entity(shape: Shape | None) -> bool:
    return shape is not None and _items(shape) is None and "payload" not in shape.serialization


def _child_shape(shape: Shape) -> Shape:
    return shape.value if shape.type_name == "map" else shape


def _place(operation: Operation) -> _Place:
    label = _label(operation.segments[-1])
    shape = operation.model.input_shape
    key = None
    for name, member in shape.members.items() if shape is not None else ():
        if label is not None and wire_name(name, member) == label:
            key = name
    return _Place(operation.model.output_shape, operation.segments, key)


def _own_label(place: _Place, labels: Mapping[str, str], plain: Json) -> dict[str, str]:
    """The last label of a place's path, out of the entity itself where the request did not give it."""
    label = _label(place.segments[-1])
    if label is None or label in labels:
        return {}
    value = next((plain[name] for name in (place.key, *_IDS) if name in plain), None)
    return {} if value is None else {label: str(value)}


def _with_dates(shape: Shape, plain: Json) -> Json:
    """AWS: in this form times are texts."""
    state = dict(plain)
    for name, member in shape.members.items():
        key = wire_name(name, member)
        if member.type_name == "timestamp" and key in state:
            state[key] = datetime.fromtimestamp(state[key], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return state


def _action(operation: Operation, noun: str) -> str:
    return _hyphenated(operation.name.replace(noun, "")) or operation.verb.lower()


def _hyphenated(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _one_or_all(found: list[Json]) -> Any:
    """AWS: an array only where there are several."""
    return found[0] if len(found) == 1 else found


def _relations(document: Any) -> Iterator[str]:
    """The names of all links of a document and of what is embedded in it."""
    for one in document if isinstance(document, list) else [document]:
        yield from one.get("_links", ())
        for inner in one.get("_embedded", {}).values():
            yield from _relations(inner)
