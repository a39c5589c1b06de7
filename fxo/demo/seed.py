"""The demo's data: three tenants, a network of partners, somebody to sign in as in every role, and what was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from flask import Flask

from fxo import platform
from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.partners.commands import add_to_roster, import_partners, partner_id_of
from fxo.core.partners.importing import PartnerImport, read
from fxo.core.scope import CODE, TenantConfig, system_scope, tenant_scope
from fxo.core.work import demo_clock
from fxo.demo.history import BEGUN, tell
from fxo.demo.portals import Person, portals
from fxo.tenants import members, network, passwords, records

NETWORK_FILE = Path(__file__).with_name("network.json")
CLIENT, ADMINISTRATOR, PARTNER, OPERATOR = "client", "administrator", "partner", "operator"
PHRASES = {
    CLIENT: "four calm questions",
    ADMINISTRATOR: "keys to our portal",
    PARTNER: "one clear answer",
    OPERATOR: "books that balance",
}
"""The demo's passwords, one for each role; they are printed and secret to nobody."""


@dataclass(frozen=True, slots=True)
class Signin:
    """An account of the demo: who it is, at which host (`fortium`, `partners`, `ops`), and how to sign in."""

    role: str
    host: str
    name: str
    mail: str
    password: str


@dataclass(frozen=True, slots=True)
class Signins:
    """All accounts of the demo."""

    members: tuple[Signin, ...]
    partners: tuple[Signin, ...]
    operator: Signin

    def member(self, host: str, role: str = CLIENT) -> Signin:
        """The member with this role at that portal."""
        return next(each for each in self.members if (each.host, each.role) == (host, role))

    def partner(self, name: str) -> Signin:
        """The partner of that name."""
        return next(each for each in self.partners if each.name == name)


PORTALS = portals()
TENANTS = tuple(portal.tenant for portal in PORTALS)
MEMBERS = tuple(
    Signin(member.role, portal.tenant.slug, member.name, member.mail, PHRASES[member.role])
    for portal in PORTALS
    for member in portal.members
)
OPS = Signin(OPERATOR, "ops", "Olu Adeyemi", "olu@fxo.example", PHRASES[OPERATOR])


def seed(app: Flask, *, bare: bool = False) -> Signins:
    """Bring the demo's data into the database, and return the accounts. What is there already stays as it is.

    `bare`: no session has been before, and none is booked.
    """
    with app.app_context():
        parts = platform.current()
        parts.store.run(system_scope("demo"), CODE, _movable_clock)
        tenants = {wanted.slug: _tenant(parts, wanted) for wanted in TENANTS}
        found = read(NETWORK_FILE)
        _partners(parts, tenants, found, demo_clock.now(parts.store) - (timedelta() if bare else BEGUN))
        for portal in PORTALS:
            config = tenants[portal.tenant.slug]
            for member in portal.members:
                parts.store.run(tenant_scope(config.id), CODE, _sign_up, config, member)
        parts.store.run(system_scope("sign_in"), CODE, _operator)
        if not bare:
            tell(parts, tenants, PORTALS, found)
    partners = tuple(Signin(PARTNER, "partners", item.name, item.email, PHRASES[PARTNER]) for item in found)
    return Signins(MEMBERS, partners, OPS)


def _movable_clock(tx: Transaction) -> None:
    tx.driver.execute("insert into clock (ahead) values ('0') on conflict do nothing")


def _tenant(parts: platform.Platform, wanted: records.NewTenant) -> TenantConfig:
    try:
        return parts.records.by_slug(wanted.slug)
    except NotFound:
        parts.store.run(system_scope("tenants"), CODE, records.create, wanted)
        return parts.records.by_slug(wanted.slug)


def _partners(parts: platform.Platform, tenants: dict[str, TenantConfig], found: list[PartnerImport], at: datetime) -> None:
    ids = {slug: config.id for slug, config in tenants.items()}
    parts.store.run(system_scope("partners"), CODE, _import_new, found, ids, at)
    for slug, config in tenants.items():
        roster = [partner_id_of(item.id) for item in found if slug in item.tenants]
        parts.store.run(tenant_scope(config.id), CODE, _fill_roster, roster, at)
    parts.store.run(system_scope("partners"), CODE, _let_in, [partner_id_of(item.id) for item in found])


def _import_new(tx: Transaction, found: list[PartnerImport], tenants: dict[str, UUID], at: datetime) -> None:
    """Only who is not there yet: partners may have changed their week since. `at`: when they joined."""
    tx.now = at
    known = {row[0] for row in tx.driver.execute("select id from partners")}
    import_partners(tx, [item for item in found if partner_id_of(item.id) not in known], tenants)


def _fill_roster(tx: Transaction, partner_ids: list[UUID], at: datetime) -> None:
    """Only who was never on it: an administrator may have ended an entry."""
    tx.now = at
    known = {row[0] for row in tx.driver.execute("select partner_id from roster where tenant_id = %s", (tx.scope.tenant_id,))}
    add_to_roster(tx, [partner_id for partner_id in partner_ids if partner_id not in known])


def _let_in(tx: Transaction, partner_ids: list[UUID]) -> None:
    """One hash for all of them: thirty would take a second or more."""
    new = tx.driver.execute(
        "select partner_id, email from partner_contacts where partner_id = any(%s)"
        " and partner_id not in (select partner_id from partner_logins)",
        (partner_ids,),
    ).fetchall()
    if new:
        kept = passwords.hashed(PHRASES[PARTNER])
        with tx.driver.cursor() as cursor:
            cursor.executemany(
                "insert into partner_logins (partner_id, email, password_hash) values (%s, %s, %s)", [(*row, kept) for row in new]
            )


def _sign_up(tx: Transaction, config: TenantConfig, member: Person) -> None:
    known = tx.driver.execute("select 1 from members where tenant_id = %s and email = %s", (config.id, member.mail)).fetchone()
    if known is None:
        who = members.SignUp(member.name, member.mail, PHRASES[member.role], member.company, member.zone, member.role)
        members.sign_up(tx, config, who)


def _operator(tx: Transaction) -> None:
    if tx.driver.execute("select 1 from operators where email = %s", (OPS.mail,)).fetchone() is None:
        network.add_operator(tx, OPS.mail, OPS.name, OPS.password)
