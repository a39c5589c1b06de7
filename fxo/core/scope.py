"""Whose data a transaction may see, who acts in it, and the list of tables that belong to the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from fxo.core.ids import NETWORK
from fxo.core.money import Money


class Permission(StrEnum):
    """What an actor may do; commands ask for these and never for roles."""

    BOOK = "book"
    COMPLETE_SESSIONS = "complete_sessions"
    EDIT_OWN_PROFILE = "edit_own_profile"
    MANAGE_TENANT = "manage_tenant"
    RUN_PLATFORM = "run_platform"


class ActorKind(StrEnum):
    VISITOR = "visitor"
    MEMBER = "member"
    PARTNER = "partner"
    OPERATOR = "operator"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a visitor (known by a cookie), a member, a partner, an operator, or code of ours."""

    id: UUID
    kind: ActorKind
    permissions: frozenset[Permission] = frozenset()

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


CODE = Actor(NETWORK, ActorKind.CODE, frozenset(Permission))
"""The platform's own code: timers, reactions, the sweeper."""

ROLES: Mapping[str, frozenset[Permission]] = {
    "client": frozenset({Permission.BOOK}),
    "administrator": frozenset({Permission.BOOK, Permission.MANAGE_TENANT}),
    "partner": frozenset({Permission.COMPLETE_SESSIONS, Permission.EDIT_OWN_PROFILE}),
    "operator": frozenset({Permission.RUN_PLATFORM}),
}
"""The four roles as sets of permissions (PRD SR-1.3)."""


class ScopeKind(StrEnum):
    TENANT = "tenant"
    PARTNER = "partner"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction sees: one tenant's, one partner's own, or (operator, system) the platform's.

    `id` is the tenant's or partner's id; the operator's id in the operator scope; `NETWORK` in the system scope.
    `site` names the call site in the system scope and must stand in `SYSTEM_CALL_SITES`.
    """

    kind: ScopeKind
    id: UUID
    site: str = ""

    @property
    def tenant_id(self) -> UUID:
        """The tenant whose rows this scope writes; partners and the platform write rows of `NETWORK`."""
        return self.id if self.kind is ScopeKind.TENANT else NETWORK

    def __str__(self) -> str:
        return f"{self.kind}:{self.site or self.id}"


def tenant_scope(tenant_id: UUID) -> Scope:
    return Scope(ScopeKind.TENANT, tenant_id)


def partner_scope(partner_id: UUID) -> Scope:
    return Scope(ScopeKind.PARTNER, partner_id)


def operator_scope(operator_id: UUID) -> Scope:
    return Scope(ScopeKind.OPERATOR, operator_id)


def system_scope(site: str) -> Scope:
    """The system scope for one of the listed call sites; anywhere else it is refused."""
    if site not in SYSTEM_CALL_SITES:
        raise PermissionError(f"{site!r} is not a call site of the system scope; list it in fxo/core/scope.py")
    return Scope(ScopeKind.SYSTEM, NETWORK, site)


SYSTEM_CALL_SITES: Mapping[str, str] = {
    "sweeper": "finds due work of all tenants and hands it to the queue; performs work of NETWORK",
    "network": "performs the work and appends to the streams of NETWORK (platform streams)",
    "subscriptions": "reads all tenants' events in order for asynchronous projections and the feed",
    "inbox": "keeps what providers send before the tenant is known",
    "hosts": "finds the tenant of a host name",
    "tenants": "creates tenants, suspends and resumes them, reads their configuration",
    "sign_in": "finds partners and operators by mail address; keeps their sign-in sessions",
    "partners": "imports, approves and suspends partners",
    "roster": "shows a tenant's administrator who of the network may join the roster",
    "integrity": "counts what must never be, over all tenants",
    "routine": "hands each tenant its regular work: asking providers what has changed, checking the books",
    "clock": "reads and moves the demo's clock",
    "health": "answers /readyz and fxo doctor",
    "card_network": "the sandbox's card network, which stands for a company outside",
    "payout_accounts": "knows which account at the payment provider pays which expert, for all tenants",
    "meeting_page": "the local meeting page, admitted by its unguessable link",
    "connections": "keeps partners' calendar connections, and the tokens that no tenant may read",
    "vectors": "keeps the sentence vectors of partners' records, which are the same for every tenant",
    "demo": "seeds the demo, lists its people and its mails",
}


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """One provider that a tenant uses, with its settings (secrets stay sealed until a plugin asks)."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    on: bool = True
    """Whether it is asked for anything new; what was begun with it stays reachable with these settings all the same."""
    seconds: float | None = None
    """The tenant's own time limit for one call, where it is shorter than the platform's."""


@dataclass(frozen=True, slots=True)
class CancellationPolicy:
    """What cancelling costs, by hours before the start, with the version that a client accepted (architecture, section 8)."""

    version: int = 1
    free_until_hours: int = 24
    half_until_hours: int = 2
    late_percent: int = 50
    moves: int = 2
    move_until_hours: int = 4
    no_show_grace_minutes: int = 10


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax on a tenant's sessions, as it was when a slot was held. `rate` in basis points; 0: none is shown."""

    rate: int = 0
    inclusive: bool = True
    """Whether the price has it in it already; otherwise it comes on top."""
    name: str = "VAT"
    id: str = ""
    """The seller's tax number, for receipts."""
    seller: str = ""
    """Who sells, with the address: what stands on receipts; left out, the portal's name."""

    def gross(self, price: Money) -> Money:
        """What the client pays for a session at this price."""
        return price if self.inclusive or not self.rate else price + price.share(self.rate)


NO_TAX = Tax()


class FeeBearer(StrEnum):
    """Who bears what the payment provider takes (hard case 20); fixed when a slot is held, as the share is."""

    PLATFORM = "platform"
    """Whose account at the provider it is: the operator, or the tenant with an account of its own."""
    PARTNER = "partner"
    SHARED = "shared"
    """Each by their share of the price."""


@dataclass(frozen=True, slots=True)
class TenantConfig:
    """What core needs to know of a tenant; data from the tenant's record, frozen for one request or job."""

    id: UUID
    slug: str
    name: str
    price: Money
    partner_share: int = 8_000  # basis points (PRD 1.0: 80/20)
    policy: CancellationPolicy = CancellationPolicy()
    tax: Tax = NO_TAX
    fee_bearer: FeeBearer = FeeBearer.PLATFORM
    providers: Mapping[str, tuple[ProviderChoice, ...]] = field(default_factory=dict)
    """Port name (`matching`, `calendars`, `payments`, `notifications`) to the choices in order."""
    required_plugins: frozenset[str] = frozenset()
    """Plugins whose failing `fxo_booking_requested` refuses the booking."""
    visitors_may_match: bool = True
    mail_domains: tuple[str, ...] = ()
    brand: Mapping[str, Any] = field(default_factory=dict)
    """`colour`, `logo_url`, `logo_text`, `headline`, `lead`, `tagline`, `examples`, `questions`, `privacy`: what is set."""
    asks_first: bool = False
    """Every booking is a request that its expert confirms, also where the expert takes instant ones."""
    suspended: bool = False
    """The portal takes nothing new; what is booked goes on."""
    portal_url: str = ""
    """`https://host` of the portal, for links in mails."""

    def chosen(self, port: str) -> tuple[ProviderChoice, ...]:
        """The providers of the port that are switched on, in their order."""
        return tuple(choice for choice in self.providers.get(port, ()) if choice.on)

    @property
    def own_payment_account(self) -> bool:
        """Whether sessions are paid into an account of the tenant's own, rather than the operator's."""
        return any(choice.settings for choice in self.chosen("payments")[:1])


NETWORK_TABLES: Mapping[str, str] = {
    "alembic_version": "which migrations ran",
    "plugin_migrations": "which migrations of plugins ran",
    "epoch": "how often the database was restored; read by every append",
    "clock": "the demo's business clock is one for all",
    "inbox": "what providers send comes before the tenant is known",
    "subscription_cursors": "asynchronous projections read all tenants' events",
    "tenants": "the record of each tenant; a tenant reads its own",
    "hosts": "a host is looked up before the tenant is known",
    "attempts": "tries at a sign-in are counted before anybody is known",
    "operators": "the platform's own people",
    "operator_uses": "what operators looked at",
    "partners": "one account in the network for all tenants; a tenant reads those on its roster",
    "partner_logins": "a partner signs in once for all tenants",
    "partner_contacts": "where mails to a partner go; a tenant reads those on its roster",
    "partner_standing": "a partner's public ratings, counted over all tenants",
    "availability": "one person has one week",
    "calendar_connections": "a partner connects a calendar once for all tenants; a tenant reads how it stands with its roster",
    "calendar_tokens": "what a partner has allowed, sealed; read by our own code alone",
    "partner_opened": "which sessions a partner has opened is the partner's own",
    "partner_time": "one person is in one place at a time, whoever booked them",
}
"""Tables whose rows belong to the network and not to one tenant, each with its reason. The table walk reads this."""

DEFINER_FUNCTIONS: Mapping[str, str] = {
    "take_time": "deletes anybody's expired claim on a time before it claims it",
    "keep_time": "the only way to keep a claim",
    "move_time": "the only way to move a claim",
    "free_time": "the only way to free a claim",
}
"""Functions that run with the owner's rights, each with its reason. The table walk reads this."""
