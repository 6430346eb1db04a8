"""`tidegate check FILE` and `tidegate import FILE`: what an OpenAPI file asks for and whether Tidegate does it, item by item.

The check lays the file over an API in a store of its own, in memory, by the very code of ImportRestApi, and compiles what would
be deployed. Heavy parts are imported by the function that needs them, so that other commands start fast.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tidegate.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from tidegate.control.context import Context
    from tidegate.definition.records import RestApi

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_BASEPATH = click.option(
    "--basepath",
    type=click.Choice(["ignore", "prepend", "split"]),
    default="ignore",
    show_default=True,
    help="What becomes of the file's base path.",
)


@dataclass(slots=True)
class Findings:
    """What there is to say about a file."""

    errors: list[str] = field(default_factory=list)
    """Why it cannot be imported."""
    warnings: list[str] = field(default_factory=list)
    """What an import leaves out."""
    refusals: list[str] = field(default_factory=list)
    """Why what was imported cannot be deployed."""
    notes: list[str] = field(default_factory=list)
    """What API Gateway ignores without a word."""

    @property
    def not_done(self) -> list[str]:
        return [f"warning: {text}" for text in self.warnings] + [f"refused: {text}" for text in self.refusals]


def examine(body: bytes, settings: Settings, options: dict[str, str]) -> Findings:
    """Everything there is to say about a file, without a server."""
    from tidegate.control.apigateway.imports import lay_new
    from tidegate.core.errors import ControlError
    from tidegate.definition.openapi import OpenApiError, examine_openapi

    try:
        imported = examine_openapi(body, account=settings.account, region=settings.region, options=options)
    except OpenApiError as error:
        return Findings(errors=[str(error)])
    findings = Findings(imported.errors, imported.warnings, notes=imported.notes)
    with _workshop(settings) as context:
        try:
            api = lay_new(context, imported, options)
        except ControlError as error:
            findings.errors.append(error.message)
        else:
            # What has errors is no API that could be deployed.
            findings.refusals += [] if findings.errors else _refusals(context, api)
    return findings


@contextmanager
def _workshop(settings: Settings) -> Iterator[Context]:
    """What an operation works with, in memory, and thrown away."""
    from tidegate.aws.scope import Scope
    from tidegate.control.context import Context
    from tidegate.core.clock import Clock
    from tidegate.core.ids import Ids
    from tidegate.definition.store import Commit, SqlStore
    from tidegate.functions.packages import PackageStore
    from tidegate.plan.planner import Planner

    scope, store = Scope(settings.account, settings.region), SqlStore(None)
    with tempfile.TemporaryDirectory() as directory, store.write(scope, Commit()) as tx:
        yield Context(tx, scope, Clock(), Ids(), Planner(store), PackageStore(Path(directory)), "")
    store.close()


def _refusals(context: Context, api: RestApi) -> list[str]:
    from tidegate.core.errors import DefinitionError
    from tidegate.definition.freeze import draft
    from tidegate.definition.records import Stage

    now = context.clock.time()
    stage = Stage(api_id=api.id, stage_name="check", deployment_id="", created_date=now, last_updated_date=now)
    try:
        context.plans.check(context.tx, draft(context.tx, api), stage)
    except DefinitionError as error:
        return [str(problem) if problem.pointer else problem.message for problem in error.problems]
    return []


@click.command()
@_FILE
@_BASEPATH
def check(file: Path, basepath: str) -> None:
    """Say what is wrong with the OpenAPI FILE, and what of it Tidegate does not do. Fails on errors; needs no server."""
    findings = examine(file.read_bytes(), _settings(), {"basepath": basepath})
    for text in findings.errors:
        click.echo(f"error: {text}")
    for text in findings.not_done:
        click.echo(text)
    for text in findings.notes:
        click.echo(f"note: {text}")
    click.echo(
        f"{file}: {len(findings.errors)} errors, {len(findings.warnings)} warnings, "
        f"{len(findings.refusals)} refused at deployment, {len(findings.notes)} notes"
    )
    if findings.errors:
        raise click.exceptions.Exit(1)


@click.command("import")
@_FILE
@click.option("--strict", is_flag=True, help="Import nothing if anything of the file is not done.")
@click.option("--api-id", help="Put it into this API, not into a new one.")
@click.option(
    "--mode", type=click.Choice(["merge", "overwrite"]), help="What becomes of the API's own.  [default: merge]"
)
@_BASEPATH
@click.option("--endpoint", envvar="TIDEGATE_ENDPOINT", default="http://127.0.0.1:4566", show_default=True)
def import_file(file: Path, strict: bool, api_id: str | None, mode: str | None, basepath: str, endpoint: str) -> None:
    """Import the OpenAPI FILE into the server that runs; prints the API's id, and item by item what is not done."""
    from botocore.exceptions import BotoCoreError, ClientError

    if mode and not api_id:
        raise click.UsageError("--mode needs --api-id")
    settings, body, options = _settings(), file.read_bytes(), {"basepath": basepath}
    findings = examine(body, settings, options)
    if strict and (findings.errors or findings.not_done):
        raise click.ClickException("nothing is imported:\n" + "\n".join([*findings.errors, *findings.not_done]))
    given: dict[str, Any] = {"body": body, "parameters": options, "failOnWarnings": strict}
    client = _client(settings, endpoint)
    try:
        put = {"restApiId": api_id, "mode": mode or "merge", **given}
        api = client.put_rest_api(**put) if api_id else client.import_rest_api(**given)
    except ClientError as error:
        raise click.ClickException(error.response["Error"]["Message"]) from None
    except BotoCoreError as error:
        raise click.ClickException(f"no Tidegate answers at {endpoint}: {error}") from None
    click.echo(api["id"])
    # The server's warnings are the ones that count: it may know parts that the file only names.
    findings.warnings = api.get("warnings") or []
    for text in findings.not_done:
        click.echo(text)


def _settings() -> Settings:
    try:
        return load_settings({}, os.environ, Path.cwd())
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _client(settings: Settings, endpoint: str) -> Any:
    import boto3
    from botocore.config import Config

    # Any secret does: the server takes every signature in its local mode.
    return boto3.client(
        "apigateway",
        endpoint_url=endpoint,
        region_name=settings.region,
        aws_access_key_id=settings.account,
        aws_secret_access_key="test",  # noqa: S106
        config=Config(retries={"max_attempts": 1}, read_timeout=120),
    )
