"""The hold planner: when a card is authorised, and how long that holds. Pages show it and code follows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fxo.core.consultations.policy import Term, cancellation_terms
from fxo.core.errors import Invalid
from fxo.core.money import Money
from fxo.core.scope import CancellationPolicy

COMPLETION_GRACE = timedelta(hours=24)
"""A session that nobody completed is completed this long after its end; until then the authorisation must hold."""
AUTHORISE_BEFORE = timedelta(hours=72)
"""How long before the start a saved card is authorised, where the provider's window allows."""
MEND_STEP = timedelta(hours=24)
"""The pace after a refusal: the retry two steps before the start (T-48 h), giving up one step before (T-24 h)."""

SAFETY = timedelta(hours=12)
"""What we stay away from the end of a hold."""


@dataclass(frozen=True, slots=True)
class AuthorisationWindows:
    """For how long a provider surely holds an authorised amount, and what we stay away from the end of that.

    `client_present`: authorised while the client is there (cards: 7 days); `off_session`: with a saved card (4 days 18 hours).
    """

    client_present: timedelta
    off_session: timedelta
    safety: timedelta = SAFETY


@dataclass(frozen=True, slots=True)
class Offer:
    """What the client is asked to accept: a price from the server, the length, and the policy version that goes with them."""

    price: Money
    duration_minutes: int
    policy: CancellationPolicy


class Mode(StrEnum):
    AUTHORISE_NOW = "authorise_now"
    SAVE_CARD = "save_card"


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens with the card, and when; all times in UTC.

    `authorise_at`, `retry_at`, `give_up_at`: when a saved card is authorised, tried again, and the slot freed if it was refused
    (rising, and all before the start); None when the card is authorised at once. `covers_until`: how long the authorisation
    surely holds by the provider's declared window. `capture_by`: when the last capture falls due.
    """

    offer: Offer
    start: datetime
    end: datetime
    mode: Mode
    authorise_at: datetime | None
    retry_at: datetime | None
    give_up_at: datetime | None
    covers_until: datetime
    capture_by: datetime
    safety: timedelta
    terms: tuple[Term, ...]
    """What a cancellation costs from the planning on; the rows for the page."""

    def reauthorise_at(self, capture_before: datetime, *, now: datetime) -> datetime | None:
        """When to authorise again, given the real end of the charge's authorisation; None where it holds until `capture_by`.

        By the safety before that end, or by half of the time left where this is less; a day before the session at the latest
        where this still lies ahead, so that a refusal can be mended. Always after `now`, or at once when it has already ended.
        """
        return reauthorise_at(capture_before, self.start, self.end, now=now, safety=self.safety)


def reauthorise_at(
    capture_before: datetime, start: datetime, end: datetime, *, now: datetime, safety: timedelta = SAFETY
) -> datetime | None:
    """When a hold is made anew that ends at `capture_before`, too early for this session (see `Plan.reauthorise_at`)."""
    if capture_before >= end + COMPLETION_GRACE:
        return None
    left = max(capture_before - now, timedelta())
    due = capture_before - min(safety, left / 2) if left else now
    day_before = start - MEND_STEP
    return min(due, day_before) if now < day_before else due


def for_(offer: Offer, start: datetime, windows: AuthorisationWindows, *, now: datetime, client_present: bool = True) -> Plan:
    """The plan for a session at `start`, made at `now`, with a provider that declares these windows (hard cases 1 and 2).

    Without the client the card is saved already, or is only to be saved, and is authorised while they are away.

    Raises `Invalid` for a session that does not lie ahead.
    """
    if start <= now:
        raise Invalid("This time has passed. Please choose another one.", field="start")
    end = start + timedelta(minutes=offer.duration_minutes)
    capture_by = end + COMPLETION_GRACE
    authorise_at = retry_at = give_up_at = None
    covers_until = now + windows.client_present - windows.safety
    mode = Mode.AUTHORISE_NOW if client_present and capture_by <= covers_until else Mode.SAVE_CARD
    if mode is Mode.SAVE_CARD:
        held = windows.off_session - windows.safety
        planned = max(start - AUTHORISE_BEFORE, capture_by - held)
        authorise_at = max(now, min(planned, start - MEND_STEP))
        retry_at, give_up_at = after_refusal(start, authorise_at)
        covers_until = authorise_at + held
    return Plan(
        offer=offer,
        start=start,
        end=end,
        mode=mode,
        authorise_at=authorise_at,
        retry_at=retry_at,
        give_up_at=give_up_at,
        covers_until=covers_until,
        capture_by=capture_by,
        safety=windows.safety,
        terms=tuple(
            term for term in cancellation_terms(offer.policy, offer.price, start) if term.until is None or term.until >= now
        ),
    )


def after_refusal(start: datetime, authorise_at: datetime) -> tuple[datetime, datetime]:
    """When a refused saved card is tried again, and when the slot is freed: T-48 h and T-24 h.

    Where less than three days are left when the card is authorised, they are parted in thirds.
    """
    step = min(MEND_STEP, (start - authorise_at) / 3)
    return start - 2 * step, start - step
