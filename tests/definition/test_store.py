"""The store: what is committed, what is rolled back, and what a transaction can see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.aws.scope import Scope
from tidegate.definition.freeze import draft, freeze, thaw
from tidegate.definition.records import Integration, Method, Resource, RestApi, Stage
from tidegate.definition.store import Commit, SqlStore

HERE, THERE = Scope("000000000000", "us-east-1"), Scope("111111111111", "us-east-1")


def api(name: str = "n", id_: str = "a") -> RestApi:
    return RestApi(id=id_, name=name, root_resource_id="r", created_date=1.5)


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore(tmp_path / "store.db")


def test_a_commit_is_told_and_kept(store: SqlStore, tmp_path: Path) -> None:
    first, second = Commit(), Commit()
    with store.write(HERE, first) as tx:
        tx.put(api())
        tx.put(Resource(api_id="a", id="r", path="/"))
    with store.write(HERE, second) as tx:
        tx.put(api("renamed"))
    assert second.revision == first.revision + 1
    assert [(change.kind, change.key) for change in first.changes] == [(RestApi, ("a",)), (Resource, ("a", "r"))]
    store.close()
    again = SqlStore(tmp_path / "store.db")
    with again.read(HERE) as tx:
        assert tx.get(RestApi, "a") == api("renamed")
    assert [record for _, record in again.scan(RestApi)] == [api("renamed")]


def test_a_new_store_is_its_owners_only(store: SqlStore, tmp_path: Path) -> None:
    files = [file for file in tmp_path.iterdir() if file.name.startswith("store.db")]
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_an_exception_rolls_back(store: SqlStore) -> None:
    with pytest.raises(RuntimeError), store.write(HERE, Commit()) as tx:
        tx.put(api())
        raise RuntimeError
    with store.read(HERE) as tx:
        assert tx.get(RestApi, "a") is None


def test_accounts_and_regions_are_apart(store: SqlStore) -> None:
    with store.write(HERE, Commit()) as tx:
        tx.put(api())
    with store.write(THERE, Commit()) as tx:
        assert tx.get(RestApi, "a") is None
        assert tx.exists_anywhere(RestApi, "a")
        tx.delete_all(RestApi)
    with store.read(HERE) as tx:
        assert tx.get(RestApi, "a") is not None


def test_prefixes_do_not_reach_their_neighbours(store: SqlStore) -> None:
    with store.write(HERE, Commit()) as tx:
        for parent in ("a", "ab", "a-"):
            tx.put(Resource(api_id=parent, id="x", path="/x"))
    commit = Commit()
    with store.write(HERE, commit) as tx:
        assert [resource.api_id for resource in tx.list(Resource, "a")] == ["a"]
        tx.delete_all(Resource, "a")
        assert len(tx.list(Resource)) == 2
    assert [change.key for change in commit.changes] == [("a", "x")]


def test_a_deployment_document_is_canonical(store: SqlStore) -> None:
    with store.write(HERE, Commit()) as tx:
        tx.put(api())
        tx.put(Resource(api_id="a", id="r", path="/"))
        tx.put(Method(api_id="a", resource_id="r", http_method="GET", method_integration=Integration(type="MOCK")))
        one = freeze(draft(tx, api()))
        tx.put(Method(api_id="a", resource_id="r", http_method="ANY"))
        tx.delete(Method, "a", "r", "ANY")
        two = freeze(draft(tx, api()))
        assert one == two
        assert tx.put_document(one) == tx.put_document(two)
        assert thaw(tx.document(tx.put_document(one))) == draft(tx, api())


def test_records_come_back_as_they_were(store: SqlStore) -> None:
    stage = Stage(
        api_id="a", stage_name="s", deployment_id="d", created_date=1, last_updated_date=2, variables={"k": "v"}
    )
    with store.write(HERE, Commit()) as tx:
        tx.put(stage)
        assert tx.get(Stage, "a", "s") == stage
