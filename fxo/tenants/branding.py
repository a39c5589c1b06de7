"""What a portal looks like and says: one colour, a picture, a few texts. Published as a whole; every version can come back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fxo.core.errors import Invalid, NotAllowed, NotFound
from fxo.core.events.model import Recorded, event
from fxo.core.events.store import Store, StreamType, Transaction
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants import logos

LIMITS: Mapping[str, int] = {
    "portal_name": 60, "logo_text": 2, "headline": 64, "lead": 200, "tagline": 80, "privacy": 240,
    "title": 60, "text": 600, "question": 120, "answer": 600,
}  # fmt: skip
"""Characters that a text may have; what is longer breaks a line too many on a phone."""

EXAMPLES, QUESTIONS = 3, 6
"""How many of each fit the home page."""


@dataclass(frozen=True, slots=True)
class Example:
    """A brief that a visitor may begin with."""

    title: str
    text: str
    industry: str = ""
    urgency: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    question: str
    answer: str


@event("tenant.branding_changed")
@dataclass(frozen=True, slots=True)
class BrandingChanged:
    """The portal's look and words from now on; an empty text means the platform's own. `logo` is the hash of a picture."""

    portal_name: str
    colour: str = ""
    logo: str = ""
    logo_text: str = ""
    headline: str = ""
    lead: str = ""
    tagline: str = ""
    examples: tuple[Example, ...] = ()
    questions: tuple[Question, ...] = ()
    privacy: str = ""


@event("tenant.price_changed")
@dataclass(frozen=True, slots=True)
class PriceChanged:
    """What new holds cost here from now on, where the expert has no price of their own; in minor units."""

    price_minor: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the tenant's administrator has decided so far; None: as the portal was made."""

    branding: BrandingChanged | None = None
    price_minor: int | None = None


def _evolve(state: Settings, happened: object) -> Settings:
    match happened:
        case BrandingChanged():
            return replace(state, branding=happened)
        case PriceChanged(price_minor=price):
            return replace(state, price_minor=price)
    return state


SETTINGS = StreamType[Settings]("tenant_settings", Settings(), _evolve)
"""The tenant's own decisions, in its own scope under its own id; what operators decide is the network's (`records.TENANT`)."""


@dataclass(frozen=True, slots=True)
class Version:
    """One publication, the newest of which is what people see."""

    number: int
    at: datetime
    by: UUID
    branding: BrandingChanged


def of(config: TenantConfig) -> BrandingChanged:
    """The branding that the tenant's record has now."""
    brand = config.brand
    texts = {name: str(brand.get(name, "")) for name in ("colour", "logo_text", "headline", "lead", "tagline", "privacy")}
    return BrandingChanged(
        config.name, logo=logos.hash_of(str(brand.get("logo_url") or "")), **texts,
        examples=tuple(Example(**{key: str(each.get(key, "")) for key in ("title", "text", "industry", "urgency")})
                       for each in brand.get("examples", ())),
        questions=tuple(Question(str(each["question"]), str(each["answer"])) for each in brand.get("questions", ())),
    )  # fmt: skip


def as_record(branding: BrandingChanged) -> dict[str, Any]:
    """The branding as `TenantConfig.brand` holds it: only what is set."""
    values: dict[str, Any] = {
        name: getattr(branding, name) for name in ("colour", "logo_text", "headline", "lead", "tagline", "privacy")
    }
    values["logo_url"] = logos.url_of(branding.logo)
    values["examples"] = [
        {"title": each.title, "text": each.text, "industry": each.industry, "urgency": each.urgency} for each in branding.examples
    ]
    values["questions"] = [{"question": each.question, "answer": each.answer} for each in branding.questions]
    return {name: value for name, value in values.items() if value}


def decide(state: Settings, standing: BrandingChanged, wanted: BrandingChanged) -> list[object]:
    """Publish; what stands already is not published again. The first time, what stood before is kept too, so that it can come
    back.
    """
    for name, text in _texts(wanted):
        if len(text) > LIMITS[name]:
            raise Invalid(f"Please shorten this to {LIMITS[name]} characters.", field=name)
    if not wanted.portal_name:
        raise Invalid("Please give the portal a name.", field="portal_name")
    if wanted.colour and not re.fullmatch("#[0-9a-f]{6}", wanted.colour):
        raise Invalid("Please write the colour as # and six digits, such as #104e39.", field="colour")
    if len(wanted.examples) > EXAMPLES or len(wanted.questions) > QUESTIONS:
        raise Invalid(f"There is room for {EXAMPLES} examples and {QUESTIONS} questions.", field="examples")
    if wanted == (state.branding or standing):
        return []
    return [wanted] if state.branding else [standing, wanted]


def _texts(branding: BrandingChanged) -> Iterator[tuple[str, str]]:
    for name in ("portal_name", "logo_text", "headline", "lead", "tagline", "privacy"):
        yield name, getattr(branding, name)
    for example in branding.examples:
        yield from (("title", example.title), ("text", example.text))
    for question in branding.questions:
        yield from (("question", question.question), ("answer", question.answer))


def publish(tx: Transaction, config: TenantConfig, wanted: BrandingChanged) -> int | None:
    """Show this to everybody from now on; by the tenant's administrator. Returns the version that stood before, where that one
    can come back, and None where nothing has changed.
    """
    _administrator(tx)
    stream = tx.load(SETTINGS, tx.scope.tenant_id)
    if wanted.logo and not logos.known(tx, wanted.logo):
        raise Invalid("This picture is not here any more. Please choose the file again.", field="logo")
    happened = decide(stream.state, of(config), wanted)
    tx.append((stream, happened))
    if not happened:
        return None
    return stream.version + 1 if len(happened) == 2 else _versions(stream.events)[0].number


def bring_back(tx: Transaction, config: TenantConfig, number: int) -> None:
    """Publish an earlier version again. Its picture may have been cleared away since; then the first letter stands in."""
    _administrator(tx)
    stream = tx.load(SETTINGS, tx.scope.tenant_id)
    found = next((each.branding for each in _versions(stream.events) if each.number == number), None)
    if found is None:
        raise NotFound("There is no such version.")
    if found.logo and not logos.known(tx, found.logo):
        found = replace(found, logo="")
    tx.append((stream, decide(stream.state, of(config), found)))


def versions(tx: Transaction) -> list[Version]:
    """Every publication, the newest first; for the tenant's administrator."""
    _administrator(tx)
    return _versions(tx.load(SETTINGS, tx.scope.tenant_id).events)


def _versions(events: tuple[Recorded, ...]) -> list[Version]:
    return [
        Version(item.version, item.recorded_at, UUID(item.meta["actor"]["id"]), item.value)
        for item in reversed(events)
        if isinstance(item.value, BrandingChanged)
    ]


def set_price(tx: Transaction, config: TenantConfig, price_minor: int) -> int:
    """What new holds cost here from now on; returns what it was before. What is held or booked keeps its price."""
    _administrator(tx)
    stream = tx.load(SETTINGS, tx.scope.tenant_id)
    if price_minor != config.price.minor:
        tx.append((stream, [PriceChanged(price_minor)]))
    return config.price.minor


def _administrator(tx: Transaction) -> None:
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may change the portal.")


def register(store: Store) -> None:
    """Follow what the tenant decides, in its own record."""
    store.follow(BrandingChanged, _branding_changed)
    store.follow(PriceChanged, _price_changed)


def _branding_changed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute(
        "update tenants set name = %s, brand = %s where id = %s",
        (item.value.portal_name, Jsonb(as_record(item.value)), item.tenant_id),
    )


def _price_changed(tx: Transaction, item: Recorded) -> None:
    tx.driver.execute("update tenants set price_minor = %s where id = %s", (item.value.price_minor, item.tenant_id))
