"""A payment: what may happen to the money of one consultation. Pure. Each try at a card is an attempt of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fxo.core.errors import Conflict
from fxo.core.events.model import event
from fxo.core.events.store import StreamType
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.payments.outcomes import (
    Captured,
    CaptureFailed,
    ChargeRefused,
    Decided,
    Disputed,
    DisputeLost,
    DisputeWon,
    Due,
    EvidenceSent,
    HoldLapsed,
    NeedsPerson,
    ProviderFeeKnown,
    RefundAsked,
    Refunded,
    RefundFailed,
    Through,
)
from fxo.core.payments.plan import Mode
from fxo.core.scope import FeeBearer

CONSENT = "The card is kept by the payment provider and may be charged for this and later sessions as shown, while I am away."
"""The sentence a client agrees to at checkout; recorded with each attempt (architecture, section 8)."""


# Events ------------------------------------------------------------------------------------------------------------


@event(
    "payment.requested", 3,
    {1: lambda data: {**data, "through": "platform", "tax_rate": 0}, 2: lambda data: {**data, "fee_bearer": "platform"}},
)  # fmt: skip
@dataclass(frozen=True, slots=True)
class Requested:
    """The client asked to pay with a card; `attempt` is the work row that asks the provider, and its key there."""

    attempt: UUID
    consultation_id: UUID
    client_id: UUID
    partner_id: UUID
    provider: str
    amount: Money
    partner_share: int
    mode: Mode
    authorise_at: datetime | None
    retry_at: datetime | None
    give_up_at: datetime | None
    """From the plan that the client saw: when a saved card is authorised, tried again, and given up."""
    consent: str
    through: Through = Through.PLATFORM
    tax_rate: int = 0
    """In basis points; the amount has the tax in it."""
    fee_bearer: FeeBearer = FeeBearer.PLATFORM


@event("payment.challenge_asked")
@dataclass(frozen=True, slots=True)
class ChallengeAsked:
    """The bank wants the client's own word at `url`."""

    attempt: UUID
    reference: str
    url: str


@event("payment.declined")
@dataclass(frozen=True, slots=True)
class Declined:
    """The attempt failed for good; `reason` is one of the port's codes."""

    attempt: UUID
    reason: str


@event("payment.card_saved")
@dataclass(frozen=True, slots=True)
class CardSaved:
    """The card is kept; it is authorised off-session at `authorise_at`."""

    attempt: UUID
    client_id: UUID
    provider: str
    customer: str
    method: str
    label: str
    authorise_at: datetime


@event("payment.authorised")
@dataclass(frozen=True, slots=True)
class Authorised:
    """The amount is held until `capture_before`, which the provider told for this very charge."""

    attempt: UUID
    client_id: UUID
    provider: str
    reference: str
    amount: Money
    capture_before: datetime
    customer: str
    method: str
    label: str


@event("payment.replanned")
@dataclass(frozen=True, slots=True)
class Replanned:
    """The session has another time, or is booked only now: the card is authorised anew at these times. What is held already
    stays held until then.
    """

    authorise_at: datetime
    retry_at: datetime
    give_up_at: datetime


@event("payment.handed_over")
@dataclass(frozen=True, slots=True)
class HandedOver:
    """What is held, or the saved card, goes with another booking, in which another expert stands in (hard case 15)."""

    payment_id: UUID


@event("payment.authorisation_refused")
@dataclass(frozen=True, slots=True)
class AuthorisationRefused:
    """The saved card was refused while the client was away (hard case 2)."""

    attempt: UUID
    reason: str


@event("payment.voided")
@dataclass(frozen=True, slots=True)
class Voided:
    """The hold on the card was ended without taking anything."""

    reason: str


@event("payment.abandoned")
@dataclass(frozen=True, slots=True)
class Abandoned:
    """Nothing is held and nothing will be: the booking ended first."""

    reason: str


# States ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unpaid:
    """No attempt yet."""


@dataclass(frozen=True, slots=True)
class Asking:
    """An attempt is on its way; `reference` and `url` are set while the bank waits for the client."""

    request: Requested
    reference: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    request: Requested
    reason: str


@dataclass(frozen=True, slots=True)
class Saved:
    request: Requested
    card: CardSaved
    refused: frozenset[UUID] = frozenset()
    """The tries at it that the bank has refused."""
    changing: Asking | None = None
    """The client's try with another card; until it has an answer, the saved one stands."""
    held: Authorised | None = None
    """What was held before the session moved out of its reach; let go once the new amount is held."""
    plan: str = ""
    """Which plan it waits by: when it is to be authorised, where that was planned anew."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    request: Requested
    held: Authorised
    due: Money | None = None
    """What the client owes, once that is decided: it is captured, or the hold is let go where it is nothing."""
    charges: int = 0


class Stage(StrEnum):
    """Whose turn it is while the client owes something and nothing is held."""

    CHARGE = "charge"
    """Ours: the saved card is charged."""
    CLIENT = "client"
    """The client's: the card was refused, and another one is asked for."""
    PERSON = "person"
    """The operator's."""


@dataclass(frozen=True, slots=True)
class Owing:
    """The client owes something, and nothing is held."""

    request: Requested
    due: Money
    customer: str
    method: str
    stage: Stage = Stage.CHARGE
    charges: int = 0
    """How often the saved card was charged in vain."""
    changing: Asking | None = None
    """The client's try with another card."""

    @property
    def attempt(self) -> UUID:
        """The charge of the saved card that is next, or on its way."""
        return derived_id(self.request.attempt, "charge", self.charges)

    def waits_for(self, attempt: UUID) -> bool:
        """Whether this attempt is on its way."""
        if self.changing and self.changing.request.attempt == attempt:
            return True
        return self.stage is Stage.CHARGE and self.attempt == attempt


@dataclass(frozen=True, slots=True)
class Paid:
    request: Requested
    captured: Captured
    attempt: UUID
    """Which attempt held what was captured."""
    returning: tuple[RefundAsked, ...] = ()
    """Refunds that the provider has not answered yet."""
    back: int = 0
    """What was given back so far, and what was lost in disputes, in minor units."""
    lost: int = 0
    refunds: int = 0
    """How many refunds were ever asked for."""
    dispute: Disputed | None = None
    """The one that is open."""
    answered: bool = False
    """Whether evidence was sent."""
    closed: frozenset[str] = frozenset()
    """The disputes that were won or lost."""
    fee: Money | None = None
    """What the provider keeps of it, once that is known."""

    @property
    def refunded(self) -> Money:
        return Money(self.back, self.captured.amount.currency)

    @property
    def gone(self) -> Money:
        """What was given back or lost."""
        return Money(self.back + self.lost, self.captured.amount.currency)

    @property
    def kept(self) -> Money:
        """What remains of the money once all refunds are done."""
        return sum((-each.amount for each in self.returning), self.captured.amount - self.gone)


@dataclass(frozen=True, slots=True)
class Closed:
    """Voided or abandoned: nothing was taken and nothing will be."""

    request: Requested
    how: str


State = Unpaid | Asking | Refused | Saved | Authorisation | Owing | Paid | Closed


def evolve(state: State, happened: object) -> State:
    """The state after the event."""
    match state, happened:
        case ((Unpaid() | Refused() | Closed()), Requested() as request):
            return Asking(request)
        case Asking(request), ChallengeAsked(reference=reference, url=url):
            return Asking(request, reference, url)
        case Asking(request), Declined(reason=reason):
            return Refused(request, reason)
        case Asking(request), CardSaved() as card:
            return Saved(request, card)
        case Saved(changing=Asking(request)), Authorised() as held if held.attempt == request.attempt:
            return Authorisation(request, held)
        case ((Asking(request) | Saved(request)), Authorised() as held):
            return Authorisation(request, held)
        case Saved(), Requested() as request:
            return replace(state, changing=Asking(request))
        case Saved(changing=Asking(request)), ChallengeAsked(reference=reference, url=url):
            return replace(state, changing=Asking(request, reference, url))
        case Saved(), Declined():
            return replace(state, changing=None)
        case Saved(changing=Asking(request)), CardSaved() as card:
            return Saved(request, card, held=state.held, plan=state.plan)
        case ((Saved() | Authorisation()), Replanned()):
            return _replanned(state, happened)
        case ((Saved(request) | Authorisation(request)), HandedOver()):
            return Closed(request, "handed_over")
        case Saved(request, held=Authorised() as held), Due(amount=due):
            return Authorisation(request, held, due)
        case Saved(refused=refused), AuthorisationRefused(attempt=attempt):
            return replace(state, refused=refused | {attempt})
        case Authorisation(), Due(amount=due):
            return replace(state, due=due)
        case Authorisation(request), Authorised() as held:
            return replace(state, held=held)
        case Authorisation(request, held, None), HoldLapsed():
            return Saved(request, _card_of(held))
        case Saved(request, card), Due(amount=due):
            return Owing(request, due, card.customer, card.method, changing=state.changing)
        case Authorisation(request, held), Captured() as captured:
            return Paid(request, captured, held.attempt, fee=captured.provider_fee)
        case Authorisation(request, held, due), CaptureFailed():
            return Owing(request, request.amount if due is None else due, held.customer, held.method, charges=state.charges)
        case Authorisation(request, held, due), Voided() if due is not None and due.minor:
            return Owing(request, due, held.customer, held.method, charges=state.charges)
        case Authorisation(request), Voided():
            return Closed(request, "voided")
        case ((Asking(request) | Saved(request) | Owing(request)), Abandoned()):
            return Closed(request, "abandoned")
    return _settled(state, happened)


def _replanned(state: Saved | Authorisation, times: Replanned) -> Saved:
    request = replace(
        state.request, mode=Mode.SAVE_CARD, authorise_at=times.authorise_at, retry_at=times.retry_at, give_up_at=times.give_up_at
    )
    if isinstance(state, Saved):
        return replace(state, request=request, refused=frozenset(), plan=times.authorise_at.isoformat())
    card = replace(_card_of(state.held), authorise_at=times.authorise_at)
    return Saved(request, card, held=state.held, plan=times.authorise_at.isoformat())


def _settled(state: State, happened: object) -> State:
    """The state after an event that comes once it is decided what the client owes."""
    match state, happened:
        case Owing(), Due(amount=due):
            return replace(state, due=due)
        case Owing(), Requested() as request:
            return replace(state, changing=Asking(request))
        case Owing(changing=Asking(request)), ChallengeAsked(reference=reference, url=url):
            return replace(state, changing=Asking(request, reference, url))
        case Owing(), Declined():
            return replace(state, changing=None)
        case Owing(changing=Asking(request)), Authorised() as held if held.attempt == request.attempt:
            return Authorisation(request, held, state.due, state.charges)
        case Owing(request), Authorised() as held:
            return Authorisation(request, held, state.due, state.charges + 1)
        case Owing(), ChargeRefused():
            return replace(state, stage=Stage.CLIENT, charges=state.charges + 1)
        case Owing(), NeedsPerson():
            return replace(state, stage=Stage.PERSON)
        case Owing(), Decided(what="retry"):
            return replace(state, stage=Stage.CHARGE)
        case Owing(), Decided(what="ask_client"):
            return replace(state, stage=Stage.CLIENT)
        case Owing(request), Captured() as captured:
            return Paid(request, captured, request.attempt)
        case Paid(), _:
            return _returned(state, happened)
    return state


def _returned(state: Paid, happened: object) -> Paid:
    """What was taken, after an event that takes it back, or tries to."""
    match happened:
        case ProviderFeeKnown(fee=fee):
            return replace(state, fee=fee)
        case RefundAsked() as asked:
            return replace(state, returning=(*state.returning, asked), refunds=state.refunds + 1)
        case Refunded(id=done, amount=amount):
            return replace(state, returning=_without(state.returning, done), back=state.back + amount.minor)
        case RefundFailed(id=done):
            return replace(state, returning=_without(state.returning, done))
        case Disputed() as dispute:
            return replace(state, dispute=dispute, answered=False)
        case EvidenceSent():
            return replace(state, answered=True)
        case DisputeWon(reference=reference):
            return replace(state, dispute=None, closed=state.closed | {reference})
        case DisputeLost(reference=reference, amount=amount):
            return replace(state, dispute=None, closed=state.closed | {reference}, lost=state.lost + amount.minor)
    return state


def _card_of(held: Authorised) -> CardSaved:
    """The card that was held, as one that is to be held again."""
    return CardSaved(
        held.attempt, held.client_id, held.provider, held.customer, held.method, held.label, held.capture_before
    )  # fmt: skip


def _without(asked: tuple[RefundAsked, ...], done: UUID) -> tuple[RefundAsked, ...]:
    return tuple(each for each in asked if each.id != done)


PAYMENT = StreamType[State]("payment", Unpaid(), evolve)


# Decisions ---------------------------------------------------------------------------------------------------------


def asking(state: State) -> Asking | None:
    """The attempt that is on its way with the client present: at checkout, or with another card than the saved one."""
    match state:
        case Asking():
            return state
        case Saved(changing=changing) | Owing(changing=changing):
            return changing
    return None


def _is_mine(state: State, attempt: UUID) -> bool:
    """Whether this is the attempt that is on its way."""
    underway = asking(state)
    return underway is not None and underway.request.attempt == attempt


def request(state: State, wanted: Requested) -> list[object]:
    """Begin an attempt. One attempt at a time; after a refusal a new one with a new key."""
    match state:
        case Unpaid() | Refused():
            return [wanted]
        case Asking():
            raise _running()
    raise Conflict("This booking is paid for already.", code="already_paid")


def change_card(state: State, wanted: Requested) -> list[object]:
    """Begin an attempt with another card than the saved one, which stands until that one is taken."""
    match state:
        case Saved(changing=None) | Owing(changing=None):
            return [wanted]
        case Saved() | Owing():
            raise _running()
    raise Conflict("No card is waited for here any more. Please look at the session again.", code="no_card_wanted")


def _running() -> Conflict:
    return Conflict("Your bank is still being asked about the last try. Please wait for its answer.", code="payment_running")


def challenge(state: State, attempt: UUID, reference: str, url: str) -> list[object]:
    """The bank asks the client. The same question twice: nothing."""
    underway = asking(state)
    fresh = underway is not None and underway.url is None and _is_mine(state, attempt)
    return [ChallengeAsked(attempt, reference, url)] if fresh else []


def decline(state: State, attempt: UUID, reason: str) -> list[object]:
    """The attempt failed. An answer about another attempt changes nothing."""
    return [Declined(attempt, reason)] if _is_mine(state, attempt) else []


def save_card(state: State, card: CardSaved) -> list[object]:
    """The card is kept for later. An answer about another attempt changes nothing."""
    return [card] if _is_mine(state, card.attempt) else []


def authorise(state: State, held: Authorised) -> list[object]:
    """The amount is held, with the client present or on the saved card. Known already: nothing."""
    match state:
        case Asking(Requested(attempt=mine)) if mine == held.attempt:
            return [held]
        case Saved():
            return [held]
        case Owing() if state.waits_for(held.attempt):
            return [held]
    return []


def refuse(state: State, attempt: UUID, reason: str) -> list[object]:
    """The saved card was refused. Known already: nothing."""
    return [AuthorisationRefused(attempt, reason)] if isinstance(state, Saved) and attempt not in state.refused else []


def abandon(state: State, reason: str) -> list[object]:
    """The booking ended while nothing was held."""
    return [Abandoned(reason)] if isinstance(state, Asking | Saved | Owing) else []
