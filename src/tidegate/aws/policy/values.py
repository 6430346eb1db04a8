"""Values of conditions other than strings: numbers, dates, booleans, binaries, addresses. Each parser raises ValueError."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

_NUMBER = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_EPOCH = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_W3C = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})"
    r"([Tt](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
_CIDR = re.compile(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?")
_START = datetime(1970, 1, 1, tzinfo=UTC)
Range = tuple[int, int, int]
"""Version, network, mask."""


def number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text}")
    return Decimal(text)


def boolean(text: str) -> bool:
    folded = text.lower()
    if folded not in ("true", "false"):
        raise ValueError(f"neither true nor false: {text}")
    return folded == "true"


def binary(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not Base64") from None


@lru_cache(maxsize=1024)
def date(text: str) -> int:
    """Microseconds since the epoch, of a W3C profile of ISO 8601 or of seconds. Four digits alone are a year."""
    if found := _W3C.fullmatch(text):
        return _moment(found)
    if _EPOCH.fullmatch(text):
        return int(Decimal(text) * 1_000_000)
    raise ValueError(f"not a date: {text}")


def _moment(found: re.Match[str]) -> int:
    year, month, day = int(found["year"]), int(found["month"] or 1), int(found["day"] or 1)
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    fraction = int((found["fraction"] or "").ljust(6, "0")[:6])
    moment = datetime(year, month, day, hour, minute, second, fraction, tzinfo=UTC)
    zone = found["zone"] or "Z"
    microseconds = (moment - _START) // timedelta(microseconds=1)
    if zone in "Zz":
        return microseconds
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError(f"no time zone: {zone}")
    offset = (hours * 60 + minutes) * 60_000_000
    return microseconds + (offset if zone[0] == "-" else -offset)


def address_range(text: str) -> Range:
    """An address or a CIDR block; bits behind the prefix do not matter. IPv4 mapped into IPv6 is IPv4."""
    if not _CIDR.fullmatch(text):
        raise ValueError(f"not an IP address or range: {text}")
    network = ip_network(text, strict=False)
    first, mask = int(network.network_address), int(network.netmask)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped is not None:
        return 4, first & 0xFFFFFFFF, mask & 0xFFFFFFFF
    return network.version, first, mask


@lru_cache(maxsize=4096)
def address(text: str) -> tuple[int, int]:
    """Version and number. IPv4 that came mapped into IPv6 is IPv4."""
    if "%" in text:
        raise ValueError(f"an address with a zone: {text}")
    found = ip_address(text)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.version, int(found)
