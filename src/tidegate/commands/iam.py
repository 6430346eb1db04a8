"""`tidegate iam bootstrap`: the first administrator, made in the data directory of a server that does not run.

Source: *Create an administrative user* (IAM User Guide).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tidegate.settings import SettingsError, load_settings

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@click.group()
def iam() -> None:
    """Who may manage a server that is started with --iam enforce."""


@iam.command()
@click.option("--user", default="admin", show_default=True, help="Name of the user.")
@click.option("--data", type=click.Path(file_okay=False), help="The server's data directory.")
@click.option("--account", help="Its default account.  [default: 000000000000]")
def bootstrap(user: str, **flags: Any) -> None:
    """Make the first administrator, and print its access key: this once, it cannot be shown again."""
    try:
        settings = load_settings({**flags, "iam": "enforce"}, os.environ, Path.cwd())
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    if settings.data is None:
        raise click.ClickException(
            "--data DIRECTORY says which server: an administrator of nothing that is kept is of no use"
        )
    key = _make(settings.data, settings.account, settings.region, settings.secret_key, user)
    click.echo(f"AWS_ACCESS_KEY_ID={key['access_key_id']}")
    click.echo(f"AWS_SECRET_ACCESS_KEY={key['secret_access_key']}")


def _make(data: Path, account: str, region: str, secret_key: str | None, name: str) -> dict[str, Any]:
    """Raises ClickException."""
    from tidegate.core.errors import ControlError
    from tidegate.core.vault import VaultError, open_vault
    from tidegate.definition.store import StoreError

    data.mkdir(parents=True, exist_ok=True)
    try:
        with _unused(data):
            return _administrator(data, account, open_vault(data, secret_key), name)
    except (OSError, StoreError, VaultError) as error:
        raise click.ClickException(str(error)) from None
    except ControlError as error:
        raise click.ClickException(error.message) from None


@contextmanager
def _unused(data: Path) -> Iterator[None]:
    """A server that runs would not see what is written behind its back. Raises ClickException."""
    from tidegate.core.lock import DirectoryLock, LockedError

    try:
        lock = DirectoryLock(data, alone=True)
    except LockedError as error:
        raise click.ClickException(f"{error}: stop it first") from None
    try:
        yield
    finally:
        lock.release()


def _administrator(data: Path, account: str, vault: Any, name: str) -> dict[str, Any]:
    from tidegate.aws.scope import Scope
    from tidegate.control.context import Context
    from tidegate.control.iam import access_keys, attachments, users
    from tidegate.core.clock import Clock
    from tidegate.core.ids import Ids
    from tidegate.definition.records import GLOBAL
    from tidegate.definition.store import Commit, SqlStore
    from tidegate.functions.packages import PackageStore
    from tidegate.plan.planner import Planner

    scope, store = Scope(account, GLOBAL), SqlStore(data / "tidegate.db")
    try:
        with store.write(scope, Commit()) as tx:
            context = Context(tx, scope, Clock(), Ids(), Planner(store), PackageStore(data / "packages"), "")
            users.create(context, {"user_name": name})
            attachments.attach(context, {"user_name": name, "policy_arn": _ADMINISTRATOR}, kind="User")
            key: dict[str, Any] = access_keys.create(context, {"user_name": name}, vault=vault)["access_key"]
            return key
    finally:
        store.close()
