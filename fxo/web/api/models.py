"""What the API takes and answers; the description is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from fxo.core import money
from fxo.core.consultations.changes import REASONS
from fxo.core.consultations.commands import LONGEST as LONGEST_WORDS
from fxo.core.consultations.model import Party
from fxo.core.matching.model import LONGEST
from fxo.core.matching.port import LACKING, STRENGTHS, URGENCIES
from fxo.web.choices import INDUSTRIES


class Sent(BaseModel):
    """What a program sends: nothing but what is described, each of the type that is described."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Asked(BaseModel):
    """What stands in the address: texts, read as what is described."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Told(BaseModel):
    """What we answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Page(Asked):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """How many at most."""
    after: Annotated[str, Field(max_length=400)] = ""
    """The `next` of the page before; left out for the first page."""


class Money(Told):
    """An amount of money."""

    minor: int
    """In the currency's minor unit: cents for USD."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    """ISO 4217 code."""

    @classmethod
    def of(cls, amount: money.Money) -> Money:
        return cls(minor=amount.minor, currency=amount.currency)


class Partner(Told):
    """An expert of this portal."""

    id: UUID
    name: str
    title: str
    headline: str
    roles: list[str]
    skills: list[str]
    industries: list[str]
    languages: list[str]
    years: int
    country: str
    zone: str
    """IANA time zone."""
    rating: float | None
    """Average of stars, 1 to 5; null before the first one."""
    ratings: int
    price: Money
    """Of an hour, with what is added to it by this portal."""


class PartnerRecord(Partner):
    """An expert with the whole record."""

    bio: str
    certifications: list[str]
    cases: list[str]
    bookable: bool
    """Whether they can be booked here now."""


class Partners(Told):
    """A page of experts, by name."""

    items: list[Partner]
    next: str | None
    """What `after` is for the page after this one; null on the last one."""


class NewBrief(Sent):
    """A problem, in the client's own words."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    industry: Literal[("", *INDUSTRIES)] = ""  # type: ignore[valid-type]
    urgency: Literal[("", *URGENCIES)] = ""  # type: ignore[valid-type]
    """How soon: `now` is today or tomorrow; left out, any time."""
    zone: Annotated[str, Field(max_length=64)] = ""
    """The client's IANA time zone, for who shares their working day."""


class Brief(Told):
    """A brief that is kept."""

    id: UUID
    submitted_at: datetime
    state: Literal["ready", "working"]
    """Whether the shortlist is there; otherwise ask for it after Retry-After."""


class Understood(Told):
    """What was understood from the brief; empty where it does not tell."""

    role: str
    topics: list[str]
    industry: str
    urgency: str


class Evidence(Told):
    """A verbatim line of the expert's own record, and the field that it stands in."""

    line: str
    field: str


class Listed(Told):
    """An expert on a shortlist, with why."""

    partner: Partner
    strength: Literal[STRENGTHS]  # type: ignore[valid-type]
    probability: float | None
    """How likely it is that a client finds this expert a fit, 0 to 1; null where the ranker did not say."""
    reasons: list[str]
    evidence: list[Evidence]
    caveat: str
    """Why perhaps not."""
    slots: list[datetime]
    """The next free times, at most three; none where the calendar cannot be read at the moment."""


class Shortlist(Told):
    """Who fits a brief, best first."""

    brief: UUID
    state: Literal["ready", "working"]
    """Whether the ranking has come; otherwise ask again after Retry-After."""
    understood: Understood | None
    no_match: bool
    """Nobody of this portal fits."""
    lacking: list[Literal[tuple(LACKING)]]  # type: ignore[misc]
    """What the brief could say more about, so that somebody can be found."""
    items: list[Listed]


class Window(Page):
    """Which of an expert's free times."""

    since: AwareDatetime | None = None
    """From when on; left out, from now on."""
    until: AwareDatetime | None = None
    """Before when; left out, a fortnight after `since`. At most 31 days after it."""


class Slot(Told):
    """A free time."""

    starts_at: datetime
    ends_at: datetime


class Slots(Told):
    """A page of free times, the earliest first."""

    items: list[Slot]
    next: str | None
    """What `after` is for the page after this one; null on the last one."""


class NewBooking(Sent):
    """A time of an expert, and the card that pays for it."""

    partner: UUID
    starts_at: AwareDatetime
    """One of the expert's free times."""
    method_token: Annotated[str, Field(min_length=1, max_length=400)]
    """What the payment provider's own card field has given for the card. Card numbers are never sent here."""
    brief: UUID | None = None
    """The brief that the expert is to read before."""


class Payment(Told):
    """How the payment of a booking stands."""

    state: str
    """Such as `authorised`, `card_saved`, `captured`, `declined`; `challenged`: the bank asks; `requested`: not known yet."""
    captured: Money
    refunded: Money
    card: str | None
    """For people: `Visa ending 4242`."""
    action_url: str | None
    """Where the client confirms to the bank, while it asks."""


class Cancellation(Told):
    """What cancelling costs now."""

    fee: Money
    until: datetime | None
    """Until when that holds; null for good."""


class Booking(Told):
    """A booking, from its hold on."""

    id: UUID
    state: str
    """Such as `held`, `confirmed`, `started`, `completed`, `cancelled`, `released`, `lost`; `requested`: the expert is asked."""
    partner: UUID
    starts_at: datetime
    ends_at: datetime
    held_until: datetime
    answer_until: datetime | None
    """Until when the expert answers a request."""
    price: Money
    payment: Payment | None
    cancellation: Cancellation | None
    """Null where nothing can be cancelled."""
    fee: Money | None
    """What is owed for a booking that ended early."""


class Cancel(Sent):
    """Why a booking is cancelled, and for what."""

    reason: Literal[REASONS[Party.CLIENT]] = "other"  # type: ignore[valid-type]
    words: Annotated[str, Field(max_length=LONGEST_WORDS)] = ""
    """For the expert to read."""
    fee_minor: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """The fee that is agreed to, in the minor unit: `cancellation.fee.minor` of the booking. Another one is refused."""


class Session(Booking):
    """A session, from its booking on."""

    join_url: str | None
    """The meeting's link, for who takes part; null before it is made, and once the session is over."""
    started_at: datetime | None
    completed_at: datetime | None


class Sessions(Told):
    """A page of sessions, the latest first."""

    items: list[Session]
    next: str | None
    """What `after` is for the page after this one; null on the last one."""


class Place(Told):
    """A place to mend."""

    field: str
    detail: str


class Problem(Told):
    """What went wrong (RFC 9457)."""

    type: str
    """`urn:fxo:` and a stable code."""
    title: str
    status: int
    detail: str
    """A sentence that says how to mend it."""
    request: str
    """The request's id, as in the header X-Request-Id; support asks for it."""
    errors: list[Place] = []
    """The places to mend, where there are such."""
