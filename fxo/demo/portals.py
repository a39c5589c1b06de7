"""The demo's portals as data: who they are, how they look, who has an account, and which clients they had."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unicodedata import combining, normalize

from fxo.core.money import Money
from fxo.tenants.records import NewTenant

FILE = Path(__file__).with_name("portals.json")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a portal; `role` is `client` or `administrator`."""

    name: str
    mail: str
    company: str
    zone: str
    role: str = "client"


@dataclass(frozen=True, slots=True)
class Portal:
    """A tenant of the demo. `members` sign in; `clients` have had sessions, and nobody knows their passwords."""

    tenant: NewTenant
    members: tuple[Person, ...]
    clients: tuple[Person, ...]


@cache
def portals() -> tuple[Portal, ...]:
    """All of them, the public marketplace first."""
    return tuple(_portal(each) for each in json.loads(FILE.read_text("utf-8")))


def _portal(given: dict) -> Portal:  # type: ignore[type-arg]
    tenant = NewTenant(
        given["slug"], given["name"], Money(*given["price"]), partner_share=given["partner_share"],
        visitors_may_match=given["visitors_may_match"], mail_domains=tuple(given["mail_domains"]), brand=given["brand"],
    )  # fmt: skip
    domain = given["mail_domains"][0] if given["mail_domains"] else ""
    return Portal(
        tenant,
        tuple(Person(**member) for member in given["members"]),
        tuple(Person(name, _mail(name, company, domain), company, zone) for name, company, zone in given["clients"]),
    )


def _mail(name: str, company: str, domain: str) -> str:
    return f"{_plain(name, '.')}@{domain or _plain(company, '-') + '.example'}"


def _plain(text: str, between: str) -> str:
    """`Hellström Verktyg` as `hellstrom-verktyg`."""
    letters = "".join(letter for letter in normalize("NFKD", text) if not combining(letter)).lower()
    return between.join("".join(letter if letter.isascii() and letter.isalnum() else " " for letter in letters).split())
