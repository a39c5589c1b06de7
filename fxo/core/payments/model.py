"""A payment: what may happen to the money of one consultation. Pure. Each try at a card is an attempt of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from fxo.core.errors import Conflict
from fxo.core.events.model import event
from fxo.core.events.store import StreamType
from fxo.core.money import Money
from fxo.core.payments.plan import Mode

CONSENT = "The card is kept by the payment provider and may be charged for this and later sessions as shown, while I am away."
"""The sentence a client agrees to at checkout; recorded with each attempt (architecture, section 8)."""


# Events ------------------------------------------------------------------------------------------------------------


@event("payment.requested")
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


@event("payment.authorisation_refused")
@dataclass(frozen=True, slots=True)
class AuthorisationRefused:
    """The saved card was refused while the client was away (hard case 2)."""

    attempt: UUID
    reason: str


@event("payment.captured")
@dataclass(frozen=True, slots=True)
class Captured:
    """The money is ours; it says all that the ledger needs."""

    consultation_id: UUID
    client_id: UUID
    partner_id: UUID
    amount: Money
    partner_share: int
    reference: str


@event("payment.capture_failed")
@dataclass(frozen=True, slots=True)
class CaptureFailed:
    """Taking the money failed for good; a person has to look."""

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


@dataclass(frozen=True, slots=True)
class Authorisation:
    request: Requested
    held: Authorised


@dataclass(frozen=True, slots=True)
class Paid:
    request: Requested
    captured: Captured


@dataclass(frozen=True, slots=True)
class Closed:
    """Voided, abandoned or failed."""

    request: Requested
    how: str


State = Unpaid | Asking | Refused | Saved | Authorisation | Paid | Closed


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
            return Saved(request, card)
        case Saved(refused=refused), AuthorisationRefused(attempt=attempt):
            return replace(state, refused=refused | {attempt})
        case Authorisation(request), Captured() as captured:
            return Paid(request, captured)
        case Authorisation(request), (Voided() | CaptureFailed()):
            return Closed(request, "voided" if isinstance(happened, Voided) else "failed")
        case ((Asking(request) | Saved(request)), Abandoned()):
            return Closed(request, "abandoned")
    return state


PAYMENT = StreamType[State]("payment", Unpaid(), evolve)


# Decisions ---------------------------------------------------------------------------------------------------------


def asking(state: State) -> Asking | None:
    """The attempt that is on its way with the client present: at checkout, or with another card than the saved one."""
    match state:
        case Asking():
            return state
        case Saved(changing=changing):
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
        case Saved(changing=None):
            return [wanted]
        case Saved():
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
    return []


def refuse(state: State, attempt: UUID, reason: str) -> list[object]:
    """The saved card was refused. Known already: nothing."""
    return [AuthorisationRefused(attempt, reason)] if isinstance(state, Saved) and attempt not in state.refused else []


def capture(state: State, amount: Money) -> list[object]:
    """The provider has taken the amount. Known already: nothing; there is one outcome (hard case 8)."""
    match state:
        case Authorisation(asked, held):
            return [
                Captured(asked.consultation_id, asked.client_id, asked.partner_id, amount, asked.partner_share, held.reference)
            ]
    return []


def void(state: State, reason: str) -> list[object]:
    """The provider has ended the hold. Known already, or captured before: nothing."""
    return [Voided(reason)] if isinstance(state, Authorisation) else []


def abandon(state: State, reason: str) -> list[object]:
    """The booking ended while nothing was held."""
    return [Abandoned(reason)] if isinstance(state, Asking | Saved) else []
