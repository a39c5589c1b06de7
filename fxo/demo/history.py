"""What had happened before the demo began: clients, their sessions and what they said, and what is booked for the days ahead."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from secrets import token_urlsafe
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from fxo import platform
from fxo.core.calendars.port import Attendee
from fxo.core.clients.model import CLIENT, Joined
from fxo.core.consultations import queries as consultations
from fxo.core.consultations import slots
from fxo.core.events.store import Stream, Transaction
from fxo.core.events.subscriptions import advance
from fxo.core.ids import derived_id
from fxo.core.matching import commands as matching
from fxo.core.partners.commands import partner_id_of
from fxo.core.partners.importing import PartnerImport
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, TenantConfig, tenant_scope
from fxo.core.work import demo_clock
from fxo.demo.portals import Person, Portal
from fxo.demo.telling import Fate, Teller, Told, then
from fxo.tenants import passwords

T = TypeVar("T")
_HERE = Path(__file__).parent
_OLDEST = 320
"""Days back to the first session that is told."""
BEGUN = timedelta(days=_OLDEST + 30)
"""How long before now the partners joined and the first clients came."""
_REACH = timedelta(days=9)
"""How far from a wanted day a session may lie: partners have holidays."""
_AT_ONCE = 8
"""Partners whose sessions are told at the same time."""
_SPREAD = (0, 1, 0, 2, 0, 1, 0)
"""In which of the partner's portals a session took place: most in the first."""

HONOURED = {
    "sarah@lindqvist.example": ("N001", "N012", "N018"),
    "priya@globex.example": ("N011", "N020", "N024"),
    "katharina@vogel-antriebe.example": ("N005", "N007", "N013"),
}
"""Whose sessions with whom were among those that were rated, for who signs in to the demo."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A session to tell: between whom, how far it has come, and how many days from now it lies (negative: back)."""

    portal: str
    client: str
    partner: str
    fate: Fate
    days: float
    number: int = 0
    stars: int = 0
    comment: str = ""


STANDING = (
    # Who signs in as a client sees one of each kind.
    Planned("fortium", "sarah@lindqvist.example", "N024", Fate.COMPLETED, -3),
    Planned("fortium", "sarah@lindqvist.example", "N005", Fate.CANCELLED, -36),
    Planned("fortium", "sarah@lindqvist.example", "N001", Fate.BOOKED, 0.1),
    Planned("fortium", "sarah@lindqvist.example", "N012", Fate.BOOKED, 8),
    Planned("globex", "priya@globex.example", "N028", Fate.COMPLETED, -4),
    Planned("globex", "priya@globex.example", "N018", Fate.BOOKED, 1),
    Planned("globex", "priya@globex.example", "N030", Fate.BOOKED, 9),
    Planned("hansa", "katharina@vogel-antriebe.example", "N021", Fate.COMPLETED, -2),
    Planned("hansa", "katharina@vogel-antriebe.example", "N009", Fate.BOOKED, 1.2),
    # The partners' days: one to complete, some ahead.
    Planned("fortium", "derek.osei@northgate-logistics.example", "N001", Fate.STARTED, -0.06),
    Planned("fortium", "hannah.meyer@meyer-prazision.example", "N001", Fate.BOOKED, 7.5),
    Planned("globex", "samantha.lee@globex.example", "N001", Fate.BOOKED, 2),
    Planned("fortium", "emily.whitaker@whitaker-sons-wholesale.example", "N012", Fate.STARTED, -0.1),
    Planned("hansa", "bernhard.aigner@aigner-holzbau.example", "N007", Fate.BOOKED, 2.5),
)


def tell(
    parts: platform.Platform, tenants: dict[str, TenantConfig], given: tuple[Portal, ...], found: list[PartnerImport]
) -> None:
    """Bring the history into the database. What is told already stays; the partners' standing is counted at the end.

    Most of the time is waiting for the database, so several partners' sessions are told at once; nobody else's touch them.
    """
    now = demo_clock.now(parts.store)
    partners, weeks = {item.id: item for item in found}, dict[str, _Week]()
    plans = [*_rated(given, found), *STANDING]
    chapters: dict[UUID, list[tuple[TenantConfig, Told]]] = {}
    own: list[tuple[TenantConfig, Told]] = []
    for portal in given:
        config = tenants[portal.tenant.slug]
        planned = {_id_of(config, plan): plan for plan in plans if plan.portal == portal.tenant.slug}
        known, busy = parts.store.run(tenant_scope(config.id), CODE, _known, now)
        if not planned.keys() - known:
            continue
        ids = _joined(parts, config, portal, now - BEGUN)
        people = {person.mail: person for person in (*portal.members, *portal.clients)}
        members = {ids[member.mail] for member in portal.members}
        for session_id, plan in planned.items():
            if session_id in known:
                continue
            item = partners[plan.partner]
            week = weeks.setdefault(item.id, _Week(item, now, busy.get(partner_id_of(item.id), [])))
            told = _told(session_id, plan, people[plan.client], ids[plan.client], item, week, now)
            chapters.setdefault(told.partner_id, []).append((config, told))
            if told.client_id in members:  # who signs in finds shortlists of their own
                own.append((config, told))

    def tell_of(chapter: list[tuple[TenantConfig, Told]]) -> None:
        for config in {config.id: config for config, _told in chapter}.values():
            ours = [told for its, told in chapter if its.id == config.id]
            teller = Teller(parts, config)
            teller.tell([told for told in ours if told.fate is not Fate.BOOKED], over=True)
            teller.tell([told for told in ours if told.fate is Fate.BOOKED], over=False)

    _at_once(tell_of, chapters.values())
    for config, told in own:
        who = Actor(told.client_id, ActorKind.MEMBER, ROLES["client"])
        matching.match(parts.store, parts.providers, tenant_scope(config.id), who, config, told.brief_id)
    for subscription in parts.subscriptions:
        while advance(subscription, parts.store.keyring):
            pass


def _at_once(work: Callable[[T], None], what: Iterable[T]) -> None:
    """Do the work for each, a few at a time; raises what the first of them raised, once all have ended."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(copy_context().run, work, each) for each in what]
    for future in futures:
        future.result()


def _rated(given: tuple[Portal, ...], found: list[PartnerImport]) -> Iterator[Planned]:
    """Every session of which its client said something, with whose it was and how long ago."""
    reviews = json.loads((_HERE / "reviews.json").read_text("utf-8"))
    by_slug = {portal.tenant.slug: portal for portal in given}
    for number, item in enumerate(found):
        turns: Counter[str] = Counter()
        for at, (stars, comment) in enumerate(reviews[item.id]):
            portal = by_slug[item.tenants[min(_SPREAD[at], len(item.tenants) - 1)]]
            turn, slug = turns[portal.tenant.slug], portal.tenant.slug
            turns[slug] += 1
            client = portal.clients[(number * 3 + turn) % len(portal.clients)].mail
            honoured = [member.mail for member in portal.members if item.id in HONOURED.get(member.mail, ())]
            days = -7 - (29 + 61 * at + 17 * number) % _OLDEST
            yield Planned(
                slug, honoured[0] if honoured and turn == 0 else client, item.id, Fate.COMPLETED, days, at, stars, comment
            )


def _id_of(config: TenantConfig, plan: Planned) -> UUID:
    return derived_id(config.id, "demo", "session", plan.client, plan.partner, plan.fate, plan.number)


def _told(
    session_id: UUID, plan: Planned, client: Person, client_id: UUID, item: PartnerImport, week: _Week, now: datetime
) -> Told:
    at = week.near(now + timedelta(days=plan.days), client.zone, ahead=plan.fate is Fate.BOOKED)
    problems, turn = _problems()[item.roles[0]], STANDING.index(plan) if plan in STANDING else plan.number + len(item.name)
    return Told(
        session_id, client_id, Attendee(client.name, client.mail, client.zone),
        partner_id_of(item.id), Attendee(item.name, item.email, item.timezone), week.availability,
        problem=problems[turn % len(problems)],
        booked_at=min(at - timedelta(days=3), now) - timedelta(hours=2, minutes=session_id.int % 50), starts_at=at,
        fate=plan.fate, stars=plan.stars, comment=plan.comment, rated_after=timedelta(minutes=20 + session_id.int % 2_000),
    )  # fmt: skip


class _Week:
    """A partner's open times, of which each is given once."""

    def __init__(self, item: PartnerImport, now: datetime, busy: Sequence[tuple[datetime, datetime]]) -> None:
        assert item.availability is not None
        self.availability, self.now, self.busy = item.availability, now, list(busy)

    def near(self, wanted: datetime, zone: str, *, ahead: bool) -> datetime:
        """The open start next to then, on the side away from now; in the client's day where there is one."""
        window = (wanted, wanted + _REACH) if ahead else (wanted - _REACH, wanted)
        starts = slots.open_slots(self.availability, self.busy, now=window[0] - timedelta(days=3), window=window)
        if not ahead:
            starts.reverse()
        by_day = [start for start in starts if 8 <= start.astimezone(ZoneInfo(zone)).hour < 19]
        start = (by_day or starts)[0]
        self.busy.append(slots.during(self.availability, start))
        return start


@cache
def _problems() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((_HERE / "problems.json").read_text("utf-8"))
    return found


def _known(tx: Transaction, now: datetime) -> tuple[set[UUID], dict[UUID, list[tuple[datetime, datetime]]]]:
    """The sessions that there are, and when the partners of this portal are taken."""
    sessions = {row[0] for row in tx.driver.execute("select id from consultations where tenant_id = %s", (tx.scope.tenant_id,))}
    roster = [row[0] for row in tx.driver.execute("select partner_id from roster where tenant_id = %s", (tx.scope.tenant_id,))]
    window = (now - timedelta(days=_OLDEST + 30), now + timedelta(days=60))
    return sessions, consultations.taken(tx, roster, window)


def _joined(parts: platform.Platform, config: TenantConfig, portal: Portal, at: datetime) -> dict[str, UUID]:
    """The ids of the portal's people by address. Clients who are new join, with a password that nobody knows."""
    with then(parts.store, config) as tx:
        tx.now = at
        ids: dict[str, UUID] = {
            row[0]: row[1] for row in tx.driver.execute("select email, id from members where tenant_id = %s", (config.id,))
        }
        new = {derived_id(config.id, "demo", "client", one.mail): one for one in portal.clients if one.mail not in ids}
        if new:
            kept = passwords.hashed(token_urlsafe(24))
            tx.append(
                *(
                    (
                        Stream(CLIENT, key, state=CLIENT.initial),
                        [Joined(key, one.name, one.mail, one.company, one.zone, one.role)],
                    )
                    for key, one in new.items()
                )
            )
            with tx.driver.cursor() as cursor:
                cursor.executemany(
                    "insert into members (tenant_id, id, email, password_hash, role, joined_at) values (%s, %s, %s, %s, %s, %s)",
                    [(config.id, key, one.mail, kept, one.role, at) for key, one in new.items()],
                )
    return ids | {one.mail: key for key, one in new.items()}
