"""The store of records: transactions over one generic table, a revision per commit, documents by their hash.

One writer at a time; a commit is durable before it is acknowledged (SQLite: write-ahead log, synchronous FULL). Not here:
what a record means, nor any rule between records (control).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from tidegate.aws.scope import Scope
from tidegate.definition.records import Record

log = logging.getLogger("tidegate.store")

R = TypeVar("R", bound=Record)

SCHEMA_VERSION = 1

_metadata = sa.MetaData()
_records = sa.Table(
    "records",
    _metadata,
    sa.Column("account", sa.String, primary_key=True),
    sa.Column("region", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Index("records_by_key", "kind", "key"),
)
_documents = sa.Table(
    "documents",
    _metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
_state = sa.Table(
    "state",
    _metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

_events = sa.Table(
    "events",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
"""Asynchronous invocations that have not met their end; they are no records, and belong to no transaction of any."""

_SEPARATOR = "\x1f"
"""Between the parts of a key: a control character, which no id or name may hold."""


class StoreError(Exception):
    """The store can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that a commit wrote (`record`) or deleted (None)."""

    scope: Scope
    kind: type[Record]
    key: tuple[str, ...]
    record: Record | None


@dataclass(slots=True)
class Commit:
    """What a write transaction did."""

    revision: int = 0
    """Set by the first write; 0: nothing was written."""
    changes: list[Change] = field(default_factory=list)


class Transaction(Protocol):
    """Reads and writes below one account and region."""

    scope: Scope

    def get(self, kind: type[R], *key: str) -> R | None: ...
    def list(self, kind: type[R], *key_prefix: str) -> list[R]: ...
    def page(self, kind: type[R], *key_prefix: str, after: tuple[str, ...] | None, limit: int) -> Sequence[R]:
        """At most `limit` records in the order of their keys, beginning behind the key `after`."""
        ...

    def exists_anywhere(self, kind: type[Record], *key: str) -> bool:
        """Whether any account or region has such a record; ids that name hosts are unique over all."""
        ...

    def locate(self, kind: type[Record], *key: str) -> Scope | None:
        """Whose record that is, for ids that are unique over all accounts and regions; None: nobody's."""
        ...

    def count(self, kind: type[Record], *key_prefix: str) -> int: ...
    def put(self, record: Record) -> None:
        """Raises msgspec.ValidationError for a record whose values are not of its types."""
        ...

    def delete(self, kind: type[Record], *key: str) -> None: ...
    def delete_all(self, kind: type[Record], *key_prefix: str) -> None: ...
    def put_document(self, data: bytes) -> str: ...
    def document(self, digest: str) -> bytes: ...


class Store(Protocol):
    """A place where records live. All calls come from one thread."""

    def read(self, scope: Scope) -> Any:
        """A context manager that gives a Transaction."""
        ...

    def write(self, scope: Scope, commit: Commit) -> Any:
        """The same; what it does is committed at the end, rolled back on an exception, and told to `commit`."""
        ...

    def scan(self, kind: type[R]) -> Iterator[tuple[Scope, R]]:
        """All records of a kind, whatever their account and region."""
        ...

    def document(self, digest: str) -> bytes: ...
    def clear(self, keep: Collection[type[Record]] = ()) -> None: ...
    def close(self) -> None: ...


class SqlTransaction:
    def __init__(self, connection: sa.Connection, scope: Scope, commit: Commit) -> None:
        self.scope = scope
        self._connection = connection
        self._commit = commit

    def _where(self, kind: type[Record]) -> sa.ColumnElement[bool]:
        return (
            (_records.c.account == self.scope.account)
            & (_records.c.region == self.scope.region)
            & (_records.c.kind == kind.__name__)
        )

    def get(self, kind: type[R], *key: str) -> R | None:
        query = sa.select(_records.c.data).where(self._where(kind), _records.c.key == _SEPARATOR.join(key))
        data = self._connection.execute(query).scalar()
        return None if data is None else _decode(kind, data)

    def list(self, kind: type[R], *key_prefix: str) -> list[R]:
        query = sa.select(_records.c.data).where(self._where(kind), *_below(key_prefix)).order_by(_records.c.key)
        return [_decode(kind, data) for data in self._connection.execute(query).scalars()]

    def page(self, kind: type[R], *key_prefix: str, after: tuple[str, ...] | None, limit: int) -> Sequence[R]:
        where = [self._where(kind), *_below(key_prefix)]
        if after is not None:
            where.append(_records.c.key > _SEPARATOR.join(after))
        query = sa.select(_records.c.data).where(*where).order_by(_records.c.key).limit(limit)
        return [_decode(kind, data) for data in self._connection.execute(query).scalars()]

    def exists_anywhere(self, kind: type[Record], *key: str) -> bool:
        found = (_records.c.kind == kind.__name__) & (_records.c.key == _SEPARATOR.join(key))
        return self._connection.execute(sa.select(_records.c.key).where(found).limit(1)).scalar() is not None

    def locate(self, kind: type[Record], *key: str) -> Scope | None:
        found = (_records.c.kind == kind.__name__) & (_records.c.key == _SEPARATOR.join(key))
        row = self._connection.execute(sa.select(_records.c.account, _records.c.region).where(found).limit(1)).first()
        return None if row is None else Scope(row.account, row.region)

    def count(self, kind: type[Record], *key_prefix: str) -> int:
        where = (self._where(kind), *_below(key_prefix))
        return int(
            self._connection.execute(sa.select(sa.func.count()).select_from(_records).where(*where)).scalar_one()
        )

    def put(self, record: Record) -> None:
        self._begin()
        key = record.key
        data = msgspec.json.encode(record)
        # What cannot be read back must not be written: it would be an error of every later read, and of the next start.
        _decode(type(record), data)
        row = {
            "account": self.scope.account,
            "region": self.scope.region,
            "kind": type(record).__name__,
            "key": _SEPARATOR.join(key),
            "data": data,
            "revision": self._commit.revision,
        }
        same = self._where(type(record)) & (_records.c.key == row["key"])
        written = self._connection.execute(
            sa.update(_records).where(same).values(data=row["data"], revision=row["revision"])
        )
        if written.rowcount == 0:
            self._connection.execute(sa.insert(_records).values(**row))
        self._commit.changes.append(Change(self.scope, type(record), key, record))

    def _begin(self) -> None:
        """The first write of a transaction bumps the revision; one that only reads costs no commit."""
        if self._commit.revision == 0:
            self._commit.revision = _bump_revision(self._connection)

    def delete(self, kind: type[Record], *key: str) -> None:
        self._begin()
        self._connection.execute(sa.delete(_records).where(self._where(kind), _records.c.key == _SEPARATOR.join(key)))
        self._commit.changes.append(Change(self.scope, kind, key, None))

    def delete_all(self, kind: type[Record], *key_prefix: str) -> None:
        self._begin()
        where = (self._where(kind), *_below(key_prefix))
        for key in self._connection.execute(sa.select(_records.c.key).where(*where)).scalars().all():
            self._commit.changes.append(Change(self.scope, kind, tuple(key.split(_SEPARATOR)), None))
        self._connection.execute(sa.delete(_records).where(*where))

    def put_document(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        known = self._connection.execute(sa.select(_documents.c.hash).where(_documents.c.hash == digest)).scalar()
        if known is None:
            self._connection.execute(sa.insert(_documents).values(hash=digest, data=data))
        return digest

    def document(self, digest: str) -> bytes:
        return _document(self._connection, digest)


class SqlStore:
    """Records in SQLite, at a path or in memory. One connection, used from one thread."""

    def __init__(self, path: Path | None) -> None:
        self._engine = sa.create_engine(
            "sqlite://" if path is None else f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": 5.0},
        )
        sa.event.listen(self._engine, "connect", _configure)
        try:
            if path is not None:
                # Hashes of passwords and functions' variables are its owner's; SQLite's other files are like it.
                path.touch(mode=0o600)
            _metadata.create_all(self._engine)
            with self._engine.begin() as connection:
                _check_schema(connection, path)
        except sa.exc.DatabaseError as error:
            raise StoreError(f"cannot use the store {path}: {error.orig}") from error
        except OSError as error:
            raise StoreError(f"cannot use the store {path}: {error}") from error

    @contextmanager
    def read(self, scope: Scope) -> Iterator[SqlTransaction]:
        with self._engine.connect() as connection:
            yield SqlTransaction(connection, scope, Commit())

    @contextmanager
    def write(self, scope: Scope, commit: Commit) -> Iterator[SqlTransaction]:
        with self._engine.begin() as connection:
            yield SqlTransaction(connection, scope, commit)

    def scan(self, kind: type[R]) -> Iterator[tuple[Scope, R]]:
        query = sa.select(_records.c.account, _records.c.region, _records.c.data).where(
            _records.c.kind == kind.__name__
        )
        with self._engine.connect() as connection:
            for account, region, data in connection.execute(query).all():
                try:
                    record = _decode(kind, data)
                except msgspec.ValidationError as error:
                    log.error("a record of kind %s cannot be read and is left out: %s", kind.__name__, error)
                else:
                    yield Scope(account, region), record

    def document(self, digest: str) -> bytes:
        with self._engine.connect() as connection:
            return _document(connection, digest)

    def load_events(self) -> dict[str, bytes]:
        """Asynchronous invocations by their ids, the oldest first. Raises StoreError."""
        query = sa.select(_events.c.id, _events.c.data).order_by(_events.c.number)
        try:
            with self._engine.connect() as connection:
                return {event_id: bytes(data) for event_id, data in connection.execute(query)}
        except sa.exc.DatabaseError as error:
            raise StoreError(f"events cannot be read: {error.orig}") from error

    def write_events(self, puts: Mapping[str, bytes], removes: Sequence[str]) -> None:
        """Add or change, and remove, in one transaction. Raises StoreError."""
        try:
            with self._engine.begin() as connection:
                for event_id, data in puts.items():
                    same = _events.c.id == event_id
                    changed = connection.execute(sa.update(_events).where(same).values(data=data))
                    if changed.rowcount == 0:
                        connection.execute(sa.insert(_events).values(id=event_id, data=data))
                for event_id in removes:
                    connection.execute(sa.delete(_events).where(_events.c.id == event_id))
        except sa.exc.DatabaseError as error:
            raise StoreError(f"events cannot be written: {error.orig}") from error

    def clear(self, keep: Collection[type[Record]] = ()) -> None:
        """Forget every record, document and event, except for records of some kinds; revisions go on."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_events))
            kept = [kind.__name__ for kind in keep]
            connection.execute(sa.delete(_records).where(_records.c.kind.not_in(kept)))
            connection.execute(sa.delete(_documents))
            _bump_revision(connection)

    def close(self) -> None:
        self._engine.dispose()


def _configure(connection: Any, _record: object) -> None:
    # FULL: an acknowledged write survives not only a killed process but a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _check_schema(connection: sa.Connection, path: Path | None) -> None:
    version = connection.execute(sa.select(_state.c.value).where(_state.c.name == "schema")).scalar()
    if version is None:
        connection.execute(
            sa.insert(_state), [{"name": "schema", "value": SCHEMA_VERSION}, {"name": "revision", "value": 0}]
        )
    elif version != SCHEMA_VERSION:
        raise StoreError(f"the store {path} has schema {version}; this Tidegate reads schema {SCHEMA_VERSION}")


def _bump_revision(connection: sa.Connection) -> int:
    connection.execute(sa.update(_state).where(_state.c.name == "revision").values(value=_state.c.value + 1))
    return int(connection.execute(sa.select(_state.c.value).where(_state.c.name == "revision")).scalar_one())


def _below(key_prefix: tuple[str, ...]) -> tuple[sa.ColumnElement[bool], ...]:
    if not key_prefix:
        return ()
    start = _SEPARATOR.join(key_prefix) + _SEPARATOR
    return (_records.c.key >= start, _records.c.key < start[:-1] + chr(ord(_SEPARATOR) + 1))


def _decode(kind: type[R], data: bytes) -> R:
    return msgspec.json.decode(data, type=kind)


def _document(connection: sa.Connection, digest: str) -> bytes:
    data = connection.execute(sa.select(_documents.c.data).where(_documents.c.hash == digest)).scalar()
    if data is None:
        raise StoreError(f"the store has no document {digest}")
    return bytes(data)
