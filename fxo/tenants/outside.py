"""Addresses that a tenant may make the platform call: none within the platform's own network."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PLAIN = re.compile(r"\d+\.\d+\.\d+\.\d+")
_INSIDE = ("localhost", "internal", "local", "lan", "home.arpa")


def leads_inside(text: str) -> bool:
    """Whether an address in this text is one of a private network, or of this machine, by its number or by its name.

    A name that cannot be looked up leads nowhere yet. It is looked up where it is written down, not at each call.
    """
    return any(_is_inside(host) for host in _hosts(text))


def _hosts(text: str) -> list[str]:
    """The hosts of addresses, and what stands alone and is a number or a private name."""
    found = []
    for word in text.split():
        try:
            host = urlsplit(word if _SCHEME.match(word) else f"//{word}").hostname or ""
        except ValueError:
            host = "localhost" if _SCHEME.match(word) else ""  # what cannot be read is not let through
        if _SCHEME.match(word) or _is_named_inside(host) or _PLAIN.fullmatch(host) or ":" in host:
            found.append(host.rstrip("."))
    return found


def _is_inside(host: str) -> bool:
    if _is_named_inside(host):
        return True
    number = _number(host)
    numbers = [number] if number else _looked_up(host)
    return any(not each.is_global or each.is_multicast for each in numbers)


def _is_named_inside(host: str) -> bool:
    name = host.lower().rstrip(".")
    return name in _INSIDE or name.endswith(tuple(f".{each}" for each in _INSIDE))


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The host as a number, however it is written: `0x7f.1` is 127.0.0.1 to whoever connects."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:
            found = ipaddress.ip_address(socket.inet_aton(host)) if re.fullmatch(r"[0-9a-fxA-FX.]+", host) else None  # type: ignore[assignment]
        except OSError:
            return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


def _looked_up(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
