"""`tidegate why REQUEST-ID` and `tidegate simulate METHOD URL`: which step stopped a request, and why, statement by statement."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tidegate.commands.signing import signed

_ENDPOINT = click.option("--endpoint", envvar="TIDEGATE_ENDPOINT", default="http://127.0.0.1:4566", show_default=True)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command()
@click.argument("request_id")
@_ENDPOINT
@_AS_JSON
def why(request_id: str, endpoint: str, *, as_json: bool) -> None:
    """Tell which step stopped the request REQUEST_ID (of its x-amzn-RequestId header), and why."""
    _show(_ask(endpoint, f"/_tidegate/requests/{urllib.parse.quote(request_id, safe='')}", None), as_json=as_json)


@click.command()
@click.argument("method")
@click.argument("url")
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="A header; repeatable.")
@click.option("-d", "--data", default="", help="The body; @FILE reads it from a file.")
@click.option("--source-ip", default="127.0.0.1", show_default=True, help="Where it would come from.")
@click.option("--sign", is_flag=True, help="Sign it with the AWS credentials that the SDKs would find.")
@click.option("--region", default="us-east-1", show_default=True, help="To sign for.")
@_ENDPOINT
@_AS_JSON
def simulate(
    method: str,
    url: str,
    headers: tuple[str, ...],
    data: str,
    source_ip: str,
    region: str,
    endpoint: str,
    *,
    sign: bool,
    as_json: bool,
) -> None:
    """Tell what would become of a request: every step is gone through but the backend, which is not called."""
    body = Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()
    pairs = [_header(text) for text in headers]
    if sign:
        pairs += _signature(method, url, pairs, body, region)
    call = {
        "method": method,
        "url": url,
        "headers": pairs,
        "body": base64.b64encode(body).decode(),
        "sourceIp": source_ip,
    }
    _show(_ask(endpoint, "/_tidegate/simulate", json.dumps(call).encode()), as_json=as_json)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} is not 'NAME: VALUE'", param_hint="--header")
    return name.strip(), value.strip()


def _signature(method: str, url: str, pairs: list[tuple[str, str]], body: bytes, region: str) -> list[tuple[str, str]]:
    import botocore.session
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials = botocore.session.get_session().get_credentials()
    if credentials is None:
        raise click.ClickException("no AWS credentials were found to sign with")
    request = AWSRequest(method=method, url=url, data=body, headers=dict(pairs))
    given = {name.lower() for name, _ in pairs}
    SigV4Auth(credentials.get_frozen_credentials(), "execute-api", region).add_auth(request)
    return [(name, value) for name, value in request.headers.items() if name.lower() not in given]


def _ask(endpoint: str, path: str, body: bytes | None) -> Any:
    if not endpoint.startswith(("http://", "https://")):
        raise click.ClickException(f"{endpoint} is not an http address")
    url = endpoint + path
    headers = {"Content-Type": "application/json", **signed("GET" if body is None else "POST", url, body)}
    request = urllib.request.Request(url, body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the scheme has been looked at
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise click.ClickException(json.loads(error.read())["message"]) from None
    except OSError as error:
        raise click.ClickException(f"no Tidegate answers at {endpoint}: {error}") from None


def _show(story: dict[str, Any], *, as_json: bool) -> None:
    click.echo(json.dumps(story, indent=2) if as_json else "\n".join(_lines(story)))


def _lines(story: dict[str, Any]) -> Iterator[str]:
    stopped = story["stoppedAt"]
    if "api" in story:
        yield f"{story['request']} of API {story['api']}, stage {story['stage']}, at {story['time']}"
    outcome = f"stopped at {stopped}: {story['status']} {story['responseType']}" if stopped else "not stopped"
    yield outcome if stopped or "wouldBeSent" in story else f"{outcome}: {story['status']}"
    if story["reason"]:
        yield f"  {story['reason']}"
    for number, step in enumerate(story["steps"], 1):
        yield f"{number:3}. {step['step']:<21} {_outcome(step['step'], stopped):<8} {step['microseconds']:>9,} µs"
    for judged in story["policies"]:
        yield from _judged(judged)
    if sent := story.get("wouldBeSent"):
        yield f"would be sent to {sent['uri']}"


def _outcome(step: str, stopped: str | None) -> str:
    return "stopped" if step == stopped else "passed"


def _judged(judged: dict[str, Any]) -> Iterator[str]:
    yield f"{judged['principal']} asked for {judged['action']} on {judged['resource']}"
    yield f"  {judged['decision']}: {judged['why']}"
    for statement in judged["statements"]:
        sid = f" {statement['sid']}" if statement["sid"] else ""
        fate = "matches" if statement["matched"] else f"{statement['failed']} does not match ({statement['detail']})"
        yield f"  - {statement['policy']}, statement {statement['statement']}{sid}: {statement['effect']}, {fate}"
