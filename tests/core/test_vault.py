"""Secrets at rest: what is sealed comes back for its purpose and name alone, and the key is made once."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tidegate.core.lock import DirectoryLock, LockedError
from tidegate.core.vault import Vault, VaultError, open_vault


def test_a_seal_is_good_for_one_thing() -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal("access-key", "AKIA1", b"secret")
    assert b"secret" not in sealed
    assert vault.open("access-key", "AKIA1", sealed) == b"secret"
    assert vault.seal("access-key", "AKIA1", b"secret") != sealed
    for purpose, name, text in (
        ("session", "AKIA1", sealed),
        ("access-key", "AKIA2", sealed),
        ("access-key", "AKIA1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("access-key", "AKIA1", b""),
        ("access-key", "AKIA1", sealed[:12]),
    ):
        with pytest.raises(VaultError):
            vault.open(purpose, name, text)
    with pytest.raises(VaultError):
        Vault(bytes([1] * 32)).open("access-key", "AKIA1", sealed)


def test_the_key_of_a_directory(tmp_path: Path) -> None:
    sealed = open_vault(tmp_path, None).seal("p", "n", b"text")
    key = tmp_path / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert open_vault(tmp_path, None).open("p", "n", sealed) == b"text"
    assert open_vault(Path("/nowhere"), key.read_text().strip()).open("p", "n", sealed) == b"text"
    for wrong in ("not base64!", base64.b64encode(bytes(31)).decode()):
        with pytest.raises(VaultError, match="the setting secret_key"):
            open_vault(tmp_path, wrong)
    key.write_text("")
    with pytest.raises(VaultError, match=r"secret\.key has 0 bytes"):
        open_vault(tmp_path, None)


def test_who_works_on_a_directory(tmp_path: Path) -> None:
    servers = [DirectoryLock(tmp_path, alone=False) for _ in range(2)]
    with pytest.raises(LockedError, match="a server works on"):
        DirectoryLock(tmp_path, alone=True)
    for server in servers:
        server.release()
    command = DirectoryLock(tmp_path, alone=True)
    with pytest.raises(LockedError, match="a command works on"):
        DirectoryLock(tmp_path, alone=False)
    command.release()
    DirectoryLock(tmp_path, alone=False).release()
