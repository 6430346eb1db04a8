"""`tidegate ca`: the certificate to trust, so that clients reach a server by https under the names that it answers."""

from __future__ import annotations

import urllib.error
import urllib.request

import click

_TIMEOUT = 10.0


@click.command()
@click.option("--endpoint", envvar="TIDEGATE_ENDPOINT", default="http://127.0.0.1:4566", show_default=True)
def ca(endpoint: str) -> None:
    """Print the certificate of a server's own authority (PEM), for `curl --cacert` and the like."""
    if not endpoint.startswith(("http://", "https://")):
        raise click.ClickException(f"{endpoint} is not an http address")
    try:
        # The scheme has been looked at.
        with urllib.request.urlopen(f"{endpoint.rstrip('/')}/_tidegate/ca.pem", timeout=_TIMEOUT) as answer:  # noqa: S310
            click.echo(answer.read(), nl=False)
    except (OSError, urllib.error.URLError) as error:
        raise click.ClickException(f"no Tidegate answers at {endpoint}: {error}") from None
