"""Writes sessions as the product itself would have: its own events and decisions, each at its own time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from fxo import platform
from fxo.core import db, process, settlement
from fxo.core.calendars.model import MEETING, Cancelled, Created, meeting_id_of, uid_of
from fxo.core.calendars.port import Attendee, Meeting, MeetingWanted
from fxo.core.clock import system_now
from fxo.core.consultations import changes, claims, slots
from fxo.core.consultations import model as consultation
from fxo.core.consultations.changes import Cancel
from fxo.core.consultations.model import CONSULTATION, Held, Party
from fxo.core.events.model import registered
from fxo.core.events.store import Store, Stream, StreamType, Transaction
from fxo.core.ids import derived_id
from fxo.core.matching.model import BRIEF, Submitted
from fxo.core.money import Money
from fxo.core.partners.availability import Availability
from fxo.core.payments import model as payment
from fxo.core.payments import receipts, settling
from fxo.core.payments.commands import KINDS
from fxo.core.payments.model import PAYMENT
from fxo.core.payments.plan import Mode, Offer, Plan, for_
from fxo.core.payments.port import Customer, Order, ProviderPayment
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.reactions import authorised, card_saved
from fxo.core.ratings import model as rating
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, TenantConfig, tenant_scope
from fxo.plugins.calendar_local.provider import LocalCalendar
from fxo.plugins.payments_sandbox.cards import CARDS
from fxo.plugins.payments_sandbox.network import issue_token
from fxo.plugins.payments_sandbox.provider import Sandbox
from fxo.plugins.payments_sandbox.provider import Settings as SandboxSettings

SANDBOX, CALENDAR = "payments_sandbox", "calendar_local"
_CARD = {"number": CARDS[0].number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
_AT_CHECKOUT = timedelta(seconds=70)
"""From choosing the slot to the bank's answer."""


class Fate(StrEnum):
    """How far a session has come."""

    BOOKED = "booked"
    STARTED = "started"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Told:
    """One session. Its id is derived from what it is, so that it is told once."""

    id: UUID
    client_id: UUID
    client: Attendee
    partner_id: UUID
    partner: Attendee
    availability: Availability
    problem: str
    booked_at: datetime
    starts_at: datetime
    fate: Fate
    stars: int = 0
    comment: str = ""
    rated_after: timedelta = timedelta(hours=2)

    @property
    def brief_id(self) -> UUID:
        return derived_id(self.id, "brief")

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=1)

    @property
    def completed_at(self) -> datetime:
        return self.ends_at - timedelta(minutes=self.id.int % 7)

    @property
    def captured_at(self) -> datetime:
        return self.completed_at + consultation.UNDO

    @property
    def cancelled_at(self) -> datetime:
        return self.starts_at - timedelta(hours=40)


class Then(Transaction):
    """A transaction that stands at moments of the past: its time and its actor are those of the step that is told."""

    now: datetime  # type: ignore[assignment]
    actor: Actor


class Teller:
    """Tells sessions of one tenant. What is over is written into the projections alone; what is ahead gets its timers too."""

    def __init__(self, parts: platform.Platform, config: TenantConfig) -> None:
        self.parts, self.config = parts, config
        self.outside = Outside(parts, config)

    def tell(self, sessions: Sequence[Told], *, over: bool) -> None:
        """Write these sessions, all or none. Asking the outside comes before and can be repeated."""
        lives = [_Life(self.config, told, self.outside.of(told)) for told in sessions]
        steps = sorted((step for life in lives for step in life.steps()), key=lambda step: step.at)
        with then(quiet(self.parts.store) if over else self.parts.store, self.config) as tx:
            for step in steps:
                tx.now, tx.actor = step.at, step.actor
                step.act(tx)


@contextmanager
def then(store: Store, config: TenantConfig) -> Iterator[Then]:
    """One transaction of this tenant in which the time is what is said; its work is handed out afterwards."""
    scope = tenant_scope(config.id)
    with db.transaction(scope) as session:
        tx = Then(store, session, scope, CODE)
        yield tx
    for callback in tx.callbacks:
        callback()


def quiet(store: Store) -> Store:
    """The same store without what follows from its events in other slices or outside: tables are kept, and nobody is mailed."""
    told = Store(store.clock, store.keyring)
    for kind in registered().values():
        for follower in store.followers(kind.cls):
            if follower.__module__ not in (process.__name__, settlement.__name__):
                told.follow(kind.cls, follower)
    return told


class Outside:
    """The card network and the calendar as they were then; each is asked once for the same thing, however often it is told."""

    def __init__(self, parts: platform.Platform, config: TenantConfig) -> None:
        self.config, self.now = config, system_now()
        context = parts.providers.context(config, SANDBOX)
        self.cards = Sandbox(replace(context, clock=lambda: self.now, settings=_quiet(context.settings)))
        self.calendar = LocalCalendar(parts.providers.context(config, CALENDAR))
        self.tokens: dict[UUID, str] = {}

    def of(self, told: Told) -> tuple[Plan, ProviderPayment, Money | None, Meeting]:
        """What was planned and held, what the network keeps of it, and where the two meet; taken or let go again where the
        session says so.
        """
        fee = None
        self.now = told.booked_at + _AT_CHECKOUT
        plan = for_(Offer(self.config.price, 60, self.config.policy), told.starts_at, self.cards.windows(), now=told.booked_at)
        held = self._held(told, plan)
        title = f"{told.client.name} and {told.partner.name}, {self.config.name}"
        meeting = self.calendar.create_meeting(
            MeetingWanted(
                str(meeting_id_of(told.id)), told.partner_id, uid_of(told.id), 0, title,
                f"{self.config.portal_url}/sessions/{told.id}",
                told.starts_at, told.ends_at, told.partner, (told.client,),
            )
        )  # fmt: skip
        match told.fate:
            case Fate.COMPLETED:
                self.now = told.captured_at
                key = str(derived_id(attempt_of(told, plan), "capture"))
                fee = self.cards.capture(held.reference, held.amount, key).fee
            case Fate.CANCELLED:
                self.now = told.cancelled_at
                self.cards.void(held.reference, str(derived_id(attempt_of(told, plan), "void")))
                self.calendar.cancel_meeting(meeting.reference)
        return plan, held, fee, meeting

    def _held(self, told: Told, plan: Plan) -> ProviderPayment:
        reference = str(attempt_of(told, plan))
        if found := self.cards.find_by_reference(reference):
            return found
        if told.client_id not in self.tokens:
            self.tokens[told.client_id] = issue_token(_CARD, self.now)
        order = Order(
            reference, self.config.price, Customer(told.client_id), self.tokens[told.client_id],
            f"{self.config.name}, 60-minute session", f"{self.config.portal_url}/book/{told.id}/return",
        )  # fmt: skip
        return self.cards.authorise(order) if plan.mode is Mode.AUTHORISE_NOW else self.cards.save_method(order)


def _quiet(settings: SandboxSettings) -> SandboxSettings:
    """What the network keeps, without notices: those would come years late."""
    return SandboxSettings(fee_rate=settings.fee_rate, fee_fixed=settings.fee_fixed)


def attempt_of(told: Told, plan: Plan) -> UUID:
    """The id of the attempt to pay, as checkout makes it for the first one."""
    return derived_id(payment_id_of(told.id), KINDS[plan.mode], "1")


@dataclass(frozen=True, slots=True)
class _Step:
    at: datetime
    actor: Actor
    act: Callable[[Then], None]


class _Life:
    """One session, step by step; every step is the product's own decision about the streams as they stand then."""

    def __init__(self, config: TenantConfig, told: Told, outside: tuple[Plan, ProviderPayment, Money | None, Meeting]) -> None:
        self.config, self.told = config, told
        self.plan, self.held, self.fee, self.meeting = outside
        self.booking = _new(CONSULTATION, told.id)
        self.paying = _new(PAYMENT, payment_id_of(told.id))
        self.met = _new(MEETING, meeting_id_of(told.id))
        self.client = Actor(told.client_id, ActorKind.MEMBER, ROLES["client"])
        self.partner = Actor(told.partner_id, ActorKind.PARTNER, ROLES["partner"])

    def steps(self) -> Iterator[_Step]:
        """What happened, in its order."""
        told = self.told
        yield _Step(told.booked_at, self.client, self.hold)
        yield _Step(told.booked_at + _AT_CHECKOUT, CODE, self.confirm)
        if told.fate is Fate.CANCELLED:
            yield _Step(told.cancelled_at, self.client, self.cancel)
        if told.fate in (Fate.STARTED, Fate.COMPLETED):
            yield _Step(told.starts_at, CODE, self.start)
        if told.fate is Fate.COMPLETED:
            yield _Step(told.completed_at, self.partner, self.complete)
            yield _Step(told.captured_at, CODE, self.capture)
        if told.stars:
            yield _Step(told.completed_at + told.rated_after, self.client, self.rate)

    def hold(self, tx: Then) -> None:
        told, config = self.told, self.config
        brief = _new(BRIEF, told.brief_id)
        during = slots.during(told.availability, told.starts_at)
        terms = Held(
            told.client_id, told.partner_id, brief.id, told.starts_at, told.ends_at, *during, tx.now + timedelta(minutes=10),
            config.price, config.partner_share, config.policy, fee_bearer=config.fee_bearer,
        )  # fmt: skip
        wanted = payment.Requested(
            attempt_of(told, self.plan), told.id, told.client_id, told.partner_id, SANDBOX, config.price, config.partner_share,
            self.plan.mode, self.plan.authorise_at, self.plan.retry_at, self.plan.give_up_at, payment.CONSENT,
            fee_bearer=config.fee_bearer,
        )  # fmt: skip
        if not claims.take(tx, told.partner_id, during, told.id, None):
            raise RuntimeError(f"{told.partner.name} has no time at {told.starts_at}")
        said = Submitted(told.client_id, told.problem, "", "", told.client.zone)
        recorded = tx.append(
            (brief, [said]),
            (self.booking, consultation.hold(self.booking.state, terms, tx.now)),
            (self.paying, payment.request(self.paying.state, wanted)),
        )
        self.booking, self.paying = tx.advance(self.booking, recorded), tx.advance(self.paying, recorded)

    def confirm(self, tx: Then) -> None:
        assert isinstance(self.paying.state, payment.Asking)
        request, held = self.paying.state.request, self.held
        paid = (
            payment.authorise(self.paying.state, authorised(request, request.attempt, held))
            if self.plan.mode is Mode.AUTHORISE_NOW
            else payment.save_card(self.paying.state, card_saved(request, held))
        )
        meeting = self.meeting
        created = Created(self.told.id, CALENDAR, meeting.reference, meeting.join_url, meeting.sequence)
        recorded = tx.append(
            (self.paying, paid),
            (self.booking, consultation.confirm(self.booking.state, self.paying.id, slot_is_ours=True, ask_until=tx.now)),
        )
        recorded += tx.append((self.met, [created]))
        self.booking, self.paying = tx.advance(self.booking, recorded), tx.advance(self.paying, recorded)
        self.met = tx.advance(self.met, recorded)

    def start(self, tx: Then) -> None:
        self._goes_on(tx, consultation.start(self.booking.state, Party.SYSTEM, tx.now))

    def complete(self, tx: Then) -> None:
        self._goes_on(tx, consultation.complete(self.booking.state, Party.PARTNER, tx.actor.id, tx.now))

    def cancel(self, tx: Then) -> None:
        self._goes_on(tx, changes.cancel(self.booking.state, Cancel(Party.CLIENT, "plans_changed", waived=True), tx.now))
        claims.free(tx, self.told.id)
        self._owes(tx, Money(0, self.held.amount.currency), "cancelled")
        tx.append((self.paying, settling.void(self.paying.state, "booking_ended")), (self.met, [Cancelled(self.told.id)]))

    def capture(self, tx: Then) -> None:
        self._goes_on(tx, consultation.close(self.booking.state, self.told.completed_at, tx.now))
        self._owes(tx, self.held.amount, "completed")
        recorded = tx.append((self.paying, settling.capture(self.paying.state, self.held.amount, self.fee)))
        self.paying = tx.advance(self.paying, recorded)
        tx.append((self.paying, receipts.papers(tx, self.config, [item.value for item in recorded])))

    def _owes(self, tx: Then, fee: Money, reason: str) -> None:
        self.paying = tx.advance(self.paying, tx.append((self.paying, settling.keep_fee(self.paying.state, fee, reason))))

    def rate(self, tx: Then) -> None:
        told, stream = self.told, _new(rating.RATING, rating.rating_id_of(self.told.id))
        given = rating.Given(told.id, told.partner_id, told.client_id, told.stars, told.comment, public=True)
        tx.append((stream, rating.rate(stream.state, given)))

    def _goes_on(self, tx: Then, happened: Sequence[object]) -> None:
        self.booking = tx.advance(self.booking, tx.append((self.booking, happened)))


def _new(kind: StreamType[Any], stream_id: UUID) -> Stream[Any]:
    return Stream(kind, stream_id, state=kind.initial)
