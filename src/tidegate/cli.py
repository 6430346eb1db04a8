"""The command line. Heavy parts are imported by the command that needs them, so that each starts fast."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tidegate import __version__
from tidegate.commands import authority, iam, openapi, requests, vtl
from tidegate.commands.signing import found_credentials, signed
from tidegate.settings import Settings, SettingsError, load_settings

_DEFAULT_ENDPOINT = "http://127.0.0.1:4566"


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--host", help="Address to listen on.  [default: 127.0.0.1]"),
        click.option("--port", type=int, help="Port to listen on; 0: any free one.  [default: 4566]"),
        click.option(
            "--data", type=click.Path(file_okay=False), help="Directory to keep everything in; else nothing is kept."
        ),
        click.option("--account", help="Default account.  [default: 000000000000]"),
        click.option("--region", help="Default region.  [default: us-east-1]"),
        click.option(
            "--debug",
            multiple=True,
            metavar="NAME[:PORT]",
            callback=lambda _context, _option, given: given or None,
            help="Start the function NAME with a debugger: debugpy or Node's inspector. Repeatable.",
        ),
        click.option(
            "--hot-reload",
            type=click.Choice(["auto", "on", "off"]),
            help="Whether local folders can be code of functions; auto: while only this machine reaches the server."
            "  [default: auto]",
        ),
        click.option(
            "--iam",
            type=click.Choice(["off", "soft", "enforce"]),
            help="Whether management calls need valid credentials and permissions; soft: only say in the log what would be"
            " refused.  [default: off, which has to be said where other machines reach the server]",
        ),
        click.option("--log-level", help="DEBUG, INFO, WARNING or ERROR.  [default: INFO]"),
    ):
        command = option(command)
    return command


@click.group()
@click.version_option(__version__, prog_name="tidegate")
def main() -> None:
    """Tidegate: Amazon API Gateway, anywhere."""


main.add_command(openapi.check)
main.add_command(openapi.import_file)
main.add_command(vtl.vtl)
main.add_command(iam.iam)
main.add_command(requests.why)
main.add_command(requests.simulate)
main.add_command(authority.ca)


@main.command()
@_server_options
def start(**flags: Any) -> None:
    """Start an empty server (or, with --data, the one that was)."""
    _run(_serve(_settings(flags), None))


@main.command()
@click.argument("template", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--stack-name", help="Name of the stack.  [default: the template's folder]")
@click.option(
    "--parameter", "-p", "parameters", multiple=True, metavar="KEY=VALUE", help="A template parameter; repeatable."
)
@_server_options
def run(template: Path, stack_name: str | None, parameters: tuple[str, ...], **flags: Any) -> None:
    """Deploy a SAM or CloudFormation TEMPLATE: into the server that runs, else into a new one that then keeps running."""
    settings = _settings(flags)
    name = stack_name or _stack_name(template)
    given = _parameters(parameters)
    endpoint = f"http://{settings.host}:{settings.port}"
    if settings.port != 0 and _is_tidegate(endpoint):
        if settings.debug:
            raise click.ClickException(
                f"a server runs at {endpoint} already, and debuggers are started with one: stop it, or start it anew with "
                f"`tidegate start --debug {settings.debug[0]}`"
            )
        _deploy(template, name, given, settings, endpoint, hot_reload=settings.hot_reload == "on")
    else:
        hot = settings.allows_local_folders
        _run(_serve(settings, lambda address: _deploy(template, name, given, settings, address, hot_reload=hot)))


@main.command()
@click.argument("name")
@click.option("--lines", "-n", default=1000, show_default=True, help="How many lines, the last ones.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes.")
@click.option("--endpoint", envvar="TIDEGATE_ENDPOINT", default=_DEFAULT_ENDPOINT, show_default=True)
def logs(name: str, lines: int, follow: bool, endpoint: str) -> None:
    """Show the log of the function NAME, or of the one with that ARN."""
    query = f"lines={lines}" + ("&follow=1" if follow else "")
    url = f"{endpoint}/_tidegate/functions/{urllib.parse.quote(name, safe='')}/logs?{query}"
    try:
        with _open(url, None if follow else 30.0) as answer, contextlib.suppress(KeyboardInterrupt):
            for line in answer:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
    except urllib.error.HTTPError as error:
        raise click.ClickException(json.loads(error.read())["message"]) from None
    except (OSError, urllib.error.URLError) as error:
        raise click.ClickException(f"no Tidegate answers at {endpoint}: {error}") from None


def _open(url: str, timeout: float | None) -> Any:
    if not url.startswith(("http://", "https://")):
        raise click.ClickException(f"{url} is not an http address")
    request = urllib.request.Request(url, headers=signed("GET", url))  # noqa: S310
    return urllib.request.urlopen(request, timeout=timeout)  # noqa: S310 - the scheme has been looked at


def _settings(flags: dict[str, Any]) -> Settings:
    try:
        settings = load_settings(flags, os.environ, Path.cwd())
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("botocore", "boto3", "urllib3", "samtranslator"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return settings


def _stack_name(template: Path) -> str:
    name = "".join(c if c.isalnum() else "-" for c in template.resolve().parent.name).strip("-")
    return name if name[:1].isalpha() else f"stack-{name}".rstrip("-")


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    parameters = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--parameter")
        parameters[name] = value
    return parameters


def _is_tidegate(endpoint: str) -> bool:
    try:
        with _open(f"{endpoint}/_tidegate/health", 2.0) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _deploy(
    template: Path, name: str, parameters: dict[str, str], settings: Settings, endpoint: str, *, hot_reload: bool
) -> None:
    """Raises ClickException with every problem. `hot_reload`: the server can read the template's folders."""
    import boto3
    from botocore.config import Config

    from tidegate.deploy.errors import DeployError
    from tidegate.deploy.run import deploy
    from tidegate.deploy.state import HttpStackStore

    # Any secret does where the server takes every signature.
    keys: dict[str, str | None] = {"aws_access_key_id": settings.account, "aws_secret_access_key": "test"}
    if settings.iam_mode != "off":
        found = found_credentials()
        if found is None:
            raise click.ClickException(f"--iam {settings.iam_mode}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        keys = {
            "aws_access_key_id": found.access_key,
            "aws_secret_access_key": found.secret_key,
            "aws_session_token": found.token,
        }
    session = boto3.Session(**keys, region_name=settings.region)
    config = Config(retries={"max_attempts": 1}, read_timeout=120)
    try:
        done = deploy(
            template,
            stack_name=name,
            parameters=parameters,
            clients=lambda service: session.client(service, endpoint_url=endpoint, config=config),
            stacks=HttpStackStore(endpoint, signed),
            account=settings.account,
            region=settings.region,
            endpoint=endpoint,
            out=click.echo,
            hot_reload=hot_reload,
        )
    except DeployError as error:
        raise click.ClickException(str(error)) from None
    for function in settings.debug_ports:
        if function not in done.physical_ids and function not in done.physical_ids.values():
            raise click.ClickException(f"--debug {function}: {template} has no function of that name")


def _run(main_task: Any) -> None:
    if sys.platform == "linux":
        import uvloop

        uvloop.run(main_task)
    else:
        asyncio.run(main_task)


async def _serve(settings: Settings, deploy: Callable[[str], None] | None) -> None:
    """Serve until SIGTERM or SIGINT. `deploy` is called with the server's address once it serves."""
    gc.disable()  # what is made by a start stays: looking for garbage meanwhile would be a tenth of it

    from tidegate.app import App
    from tidegate.core.clock import Clock
    from tidegate.core.ids import Ids
    from tidegate.core.vault import VaultError
    from tidegate.definition.store import StoreError
    from tidegate.wire.authority import AuthorityError

    app = App(settings, clock=Clock(), ids=Ids())
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        await app.start()
    except (OSError, StoreError, VaultError, AuthorityError) as error:
        await app.abandon()
        raise click.ClickException(f"cannot start on {settings.host}:{settings.port}: {error}") from None
    address = f"http://{settings.host}:{app.port}"
    gc.freeze()
    gc.enable()
    try:
        if deploy is not None:
            await _deploy_or_stop(deploy, address, stopping)
        if not stopping.is_set():
            click.echo(f"Tidegate {__version__} listens on {address}", err=True)
            click.echo("Ready.", err=True)
        await stopping.wait()
    finally:
        await app.stop()


async def _deploy_or_stop(deploy: Callable[[str], None], address: str, stopping: asyncio.Event) -> None:
    """The deployment blocks, so it has a thread; being told to stop does not wait for it."""
    deploying = asyncio.ensure_future(asyncio.to_thread(deploy, address))
    waiting = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({deploying, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if deploying.done():
        deploying.result()


if __name__ == "__main__":
    main()
