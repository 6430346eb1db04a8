"""`tidegate vtl render TEMPLATE`: a mapping template rendered against a made-up request, without a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


@click.group()
def vtl() -> None:
    """Mapping templates (Velocity) by themselves."""


def _pairs(_context: Any, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param=parameter)
        pairs[name] = value
    return pairs


def _many(name: str, help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(f"--{name}", multiple=True, metavar="NAME=VALUE", callback=_pairs, help=help_text)


@vtl.command()
@click.argument("template", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--body", default="", help="The body; @FILE reads it from a file.")
@_many("path", "A path parameter; repeatable.")
@_many("query", "A query argument; repeatable.")
@_many("header", "A header; repeatable.")
@_many("stage-variable", "A stage variable; repeatable.")
@_many("context", "Something of $context, e.g. identity.sourceIp=10.0.0.1; repeatable.")
def render(
    template: Path,
    body: str,
    path: dict[str, str],
    query: dict[str, str],
    header: dict[str, str],
    stage_variable: dict[str, str],
    context: dict[str, str],
) -> None:
    """Render the file TEMPLATE: its text goes to standard output, what it overrides to standard error."""
    from tidegate.testing import render as render_template
    from tidegate.vtl import VtlError

    source = template.read_text("utf-8")
    try:
        rendered = render_template(
            source,
            body=Path(body[1:]).read_bytes() if body.startswith("@") else body,
            path=path,
            querystring=query,
            header=header,
            stage_variables=stage_variable,
            context=_nested(context),
        )
    except OSError as error:
        raise click.ClickException(str(error)) from None
    except VtlError as error:
        raise click.ClickException(_explained(template, source, error)) from None
    click.echo(rendered.text, nl=not rendered.text.endswith("\n"))
    overridden = {
        "request.header": rendered.overrides.header,
        "request.path": rendered.overrides.path,
        "request.querystring": rendered.overrides.querystring,
        "response.header": rendered.headers,
        "response.status": rendered.status,
    }
    for name, value in overridden.items():
        if value:
            click.echo(f"override {name}: {json.dumps(value)}", err=True)


def _nested(given: dict[str, str]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in given.items():
        place = nested
        *above, last = name.split(".")
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return nested


def _explained(file: Path, source: str, error: Any) -> str:
    """With the line, and a caret below the place."""
    lines = source.splitlines()
    text = f"{file}:{error.line}:{error.column}: {error.message}"
    if 1 <= error.line <= len(lines):
        text += f"\n{lines[error.line - 1]}\n{' ' * (error.column - 1)}^"
    return text
