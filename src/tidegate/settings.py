"""Every setting, and the only reader of the environment. Order: flag, `TIDEGATE_*`, `tidegate.toml`, default.

An unknown key in the file or an unknown `TIDEGATE_*` variable is an error, because a misspelt setting would be ignored.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """A setting cannot be used; the message names it and where it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    host: str = "127.0.0.1"
    port: int = 4566
    """0: any free port."""
    data: Path | None = None
    """Where definitions, packages and logs are kept; None: in a temporary directory that goes with the server."""
    account: str = "000000000000"
    region: str = "us-east-1"
    log_level: str = "INFO"
    drain: float = 35.0
    """Seconds that requests in flight get to finish after SIGTERM; longer than the longest integration timeout."""
    workers: int = 256
    """Function processes in all."""
    workers_per_function: int = 64
    worker_idle: float = 600.0
    """Seconds that a function process is kept without work."""
    debug: tuple[str, ...] = ()
    """Functions that are started with a debugger: NAME or NAME:PORT."""
    hot_reload: str = "auto"
    """Whether functions may have a local folder as their code: `on`, `off`, or `auto`: while only this machine reaches us."""
    iam: str = "auto"
    """Who may manage: `off` (any credentials are taken), `soft` (the same, and the log says what would be refused), `enforce`,
    or `auto`: off while only this machine reaches us, and otherwise an error."""
    secret_key: str | None = None
    """Seals the secrets of access keys: 32 bytes in base64. None: a key that is made once in the data directory."""
    user_pool_issuers: Mapping[str, str] = field(default_factory=dict)
    """OpenID providers that stand in for user pools: issuer by pool id; in the environment `POOL=ISSUER,…`."""
    ca_file: Path | None = None
    """Certificates to trust for https backends beside the system's."""
    aws_credentials: str = "local"
    """Who signs requests of AWS integrations: `local` (keys that any neighbour takes) or `chain` (botocore's chain, and the
    integration's role by STS)."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Neighbours by signing name, `*` for all; from AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE>."""

    @property
    def iam_mode(self) -> str:
        return "off" if self.iam == "auto" else self.iam

    @property
    def allows_local_folders(self) -> bool:
        """A function whose code is a folder makes what the server can read readable by whoever may make functions."""
        return self.hot_reload == "on" or (self.hot_reload == "auto" and _loopback(self.host))

    @property
    def debug_ports(self) -> dict[str, int]:
        """Function → the port that its debugger is to have; 0: any."""
        return {name: int(port or 0) for name, _, port in (text.partition(":") for text in self.debug)}


_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_POOL_ID = re.compile(r"[a-z0-9-]+_[0-9a-zA-Z]+")
_DEBUG = re.compile(r"[A-Za-z0-9_-]+(?::\d{1,5})?")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_FILE = "tidegate.toml"
_NOT_SETTABLE = "endpoints"
_OTHER_VARIABLES = frozenset({"TIDEGATE_ENDPOINT"})
"""Read by commands that talk to a server (cli)."""

_SIGNING_NAMES = {"STS": "sts", "DYNAMODB": "dynamodb", "COGNITO_IDENTITY_PROVIDER": "cognito-idp", "SFN": "states",
                  "EVENTBRIDGE": "events", "CLOUDWATCH": "monitoring", "CLOUDWATCH_LOGS": "logs"}  # fmt: skip
"""Service ids in variable names that differ from the signing name by more than case; from botocore's models."""


def load_settings(flags: Mapping[str, Any], environment: Mapping[str, str], directory: Path) -> Settings:
    """`flags`: what the command line gave; None means not given. Raises SettingsError."""
    values = _from_file(directory / _FILE) | _from_environment(environment)
    values |= {name: (value, f"--{name.replace('_', '-')}") for name, value in flags.items() if value is not None}
    settings = Settings(
        **{name: _convert(name, value, where) for name, (value, where) in values.items()},
        endpoints=_endpoints(environment),
    )
    _check(settings)
    return settings


def _names() -> set[str]:
    return {found.name for found in fields(Settings)} - {_NOT_SETTABLE}


def _from_file(path: Path) -> dict[str, tuple[Any, str]]:
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    if unknown := document.keys() - _names():
        raise SettingsError(f"{path}: unknown setting {', '.join(sorted(unknown))}")
    return {name: (value, str(path)) for name, value in document.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    values = {}
    for variable, value in environment.items():
        if not variable.startswith("TIDEGATE_") or variable in _OTHER_VARIABLES:
            continue
        name = variable.removeprefix("TIDEGATE_").lower()
        if name not in _names():
            raise SettingsError(f"unknown setting {variable} in the environment")
        values[name] = (value, variable)
    return values


def _convert(name: str, value: Any, where: str) -> Any:
    wanted = {"port": int, "workers": int, "workers_per_function": int, "drain": float, "worker_idle": float}
    try:
        if name in wanted:
            return wanted[name](value)
        if name == "debug":
            return tuple(value.split(",") if isinstance(value, str) else map(str, value))
        if name == "user_pool_issuers":
            return (
                dict(each.strip().split("=", 1) for each in value.split(",")) if isinstance(value, str) else dict(value)
            )
        return Path(value) if name in ("data", "ca_file") else str(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{where}: {value!r} is not a value for {name}") from None


def _endpoints(environment: Mapping[str, str]) -> dict[str, str]:
    endpoints = {}
    for variable, url in environment.items():
        if variable == "AWS_ENDPOINT_URL":
            endpoints["*"] = url
        elif variable.startswith("AWS_ENDPOINT_URL_"):
            service = variable.removeprefix("AWS_ENDPOINT_URL_")
            endpoints[_SIGNING_NAMES.get(service, service.lower().replace("_", "-"))] = url
    return endpoints


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check(settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise SettingsError(f"port {settings.port} is not between 0 and 65535")
    if not _ACCOUNT.fullmatch(settings.account):
        raise SettingsError(f"account {settings.account} is not a number of twelve digits")
    if not _REGION.fullmatch(settings.region):
        raise SettingsError(f"region {settings.region} does not look like a region")
    if settings.log_level not in _LEVELS:
        raise SettingsError(f"log_level {settings.log_level} is none of {', '.join(_LEVELS)}")
    if settings.aws_credentials not in ("local", "chain"):
        raise SettingsError(f"aws_credentials {settings.aws_credentials} is neither local nor chain")
    for pool_id, issuer in settings.user_pool_issuers.items():
        if not _POOL_ID.fullmatch(pool_id) or not str(issuer).startswith(("https://", "http://")):
            raise SettingsError(f"user_pool_issuers: {pool_id}={issuer} is not a user pool id and the URL of an issuer")
    for text in settings.debug:
        if _DEBUG.fullmatch(text) is None:
            raise SettingsError(f"debug {text} is no function's name, and no name with a port (NAME:PORT)")
    if settings.hot_reload not in ("auto", "on", "off"):
        raise SettingsError(f"hot_reload {settings.hot_reload} is none of auto, on, off")
    if settings.iam not in ("auto", "off", "soft", "enforce"):
        raise SettingsError(f"iam {settings.iam} is none of auto, off, soft, enforce")
    if settings.iam == "auto" and not _loopback(settings.host):
        raise SettingsError(
            f"whoever reaches {settings.host} could manage this server: start it with --iam enforce (`tidegate iam bootstrap` "
            "makes the first administrator), or say --iam off to take any credentials"
        )
    if settings.workers < 1 or settings.workers_per_function < 1:
        raise SettingsError("workers and workers_per_function have to be at least 1")
