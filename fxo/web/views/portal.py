"""The portal: from a brief to a shortlist, a held slot, a paid booking, and the page of the session."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import orjson
from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.calendars import queries as calendars
from fxo.core.calendars.ics import invitation
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import EARLY
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import FxoError, Gone, Invalid, NotAllowed
from fxo.core.hookspecs import Booking
from fxo.core.ids import derived_id, new_id
from fxo.core.matching import commands as matching
from fxo.core.matching import queries as briefs
from fxo.core.money import Money
from fxo.core.notifications import facts
from fxo.core.partners import queries as partners
from fxo.core.partners.queries import Profile
from fxo.core.payments import commands as payments
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.model import CONSENT
from fxo.core.payments.plan import Mode, Plan
from fxo.core.payments.queries import payment_id_of
from fxo.core.plugins import booking_requested
from fxo.core.ratings import commands as ratings
from fxo.core.ratings import queries as rating_rows
from fxo.core.scope import CODE, Permission
from fxo.core.work.perform import Outcome
from fxo.web import choices, forms, identity, security, shown
from fxo.web.frame import frame
from fxo.web.places import here

blueprint = Blueprint("portal", __name__)

_REFUSALS = {
    "card_declined": "Your bank declined this card. Nothing was charged. Please try another card, or ask your bank.",
    "insufficient_funds": "The card has not enough funds for this. Nothing was charged. Please try another card.",
    "expired_card": "This card has expired. Nothing was charged. Please use another one.",
    "authentication_failed": "The confirmation at your bank was refused. Nothing was charged. Try again or use another card.",
    "abandoned": "Your bank did not hear from you in time. Nothing was charged. You can try again.",
    "provider_unavailable": "The payment service does not answer at the moment. Nothing was charged. Please try again.",
    "unknown_card": "This card number is not known here. Please check it.",
}


# The brief and the shortlist ---------------------------------------------------------------------------------------


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The question; with an example or an earlier brief filled in. A closed portal shows visitors the sign-in instead."""
    _visitors_welcome()
    example = request.args.get("example", "")
    form = {"zone": (identity.me() or _nobody).zone}
    found = _examples()
    if example.isdecimal() and 1 <= int(example) <= len(found):
        chosen = found[int(example) - 1]
        form |= {"problem": chosen["text"], "industry": chosen["industry"], "urgency": chosen["urgency"]}
    if earlier := request.args.get("brief", ""):
        with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
            brief = briefs.find(tx, choices.id_from(earlier))
        form = {"problem": brief.text, "industry": brief.industry, "urgency": brief.urgency, "zone": brief.zone}
    return _home(form, {})


class _Nobody:
    zone = ""


_nobody = _Nobody()


def _home(form: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    config = here().tenant
    with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
        people = partners.on_roster(tx)
    page = render_template(
        "portal/home.html",
        **frame(),
        headline=config.brand.get("headline") or "Sixty minutes with someone who has solved it before",
        lead="Describe it in your own words. You see who has been there before, why, and when they are free.",
        action="/briefs",
        form=form,
        errors=errors,
        industries=choices.industries(),
        urgencies=choices.urgencies(),
        zones=choices.zones(),
        examples=[
            {"title": item["title"], "url": f"?example={number}", "text": item["text"]}
            for number, item in enumerate(_examples()[:3], 1)
        ],
        closed_note="" if config.visitors_may_match else f"For people at {config.name} only.",
        privacy="What you write is read by the experts you choose and by nobody else.",
        price=str(config.price),
        people=[shown.person(profile.name, profile.id, profile.title) | {"line": profile.headline} for profile in people[:4]],
        directory=None,
        people_title="Some of the people you can ask",
        questions=[],
        quote=None,
    )
    return page, status


def _examples() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = orjson.loads(files("fxo.demo").joinpath("briefs.json").read_bytes())
    return found


def _visitors_welcome() -> None:
    """On a closed portal one signs in first."""
    if not here().tenant.visitors_may_match:
        identity.required()


@blueprint.post("/briefs")
@forms.once
def submit_brief() -> ResponseReturnValue:
    """Keep the brief, rank, and show the shortlist; no sign-in where the tenant admits visitors."""
    _visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    form = {name: request.form.get(name, "") for name in ("problem", "industry", "urgency", "zone")}
    wanted = matching.Submission(
        new_id(), form["problem"], form["industry"][:80], form["urgency"][:40], _known_zone(form["zone"])
    )
    try:
        parts.store.run(scope, actor, matching.submit, wanted)
    except Invalid as error:
        return _home(form, {"problem": error.message}, 422)
    matching.match(parts.store, parts.providers, scope, actor, config, wanted.brief_id)
    return redirect(f"/briefs/{wanted.brief_id}", 303)


def _known_zone(zone: str) -> str:
    return zone if any(option["value"] == zone for option in choices.zones()) else ""


@blueprint.get("/briefs/<brief_id>")
def shortlist(brief_id: str) -> ResponseReturnValue:
    """Who fits, why, and when they are free, in the reader's zone."""
    _visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    found_id = choices.id_from(brief_id)
    with parts.store.transaction(scope, actor) as tx:
        brief = briefs.find(tx, found_id)
    if brief.matched is None:
        matching.match(parts.store, parts.providers, scope, actor, config, found_id)
        with parts.store.transaction(scope, actor) as tx:
            brief = briefs.find(tx, found_id)
    listed = brief.matched.shortlist if brief.matched else ()
    with parts.store.transaction(scope, actor) as tx:
        now = tx.now
    window = (now, now + timedelta(days=21))
    external = calendars.external_busy(parts.providers, config, [item.partner_id for item in listed], window)
    with parts.store.transaction(scope, actor) as tx:
        on_roster = {profile.id: profile for profile in partners.on_roster(tx)}
        known = [item for item in listed if item.partner_id in on_roster]
        free = consultation_rows.next_open(
            tx, [item.partner_id for item in known if item.partner_id in external], external=external
        )
        prices = {item.partner_id: entry.price(config) for item in known if (entry := partners.roster_entry(tx, item.partner_id))}
    zone = brief.zone or _zone()
    cards = [
        shown.partner_card(
            on_roster[item.partner_id],
            [shown.slot(slot.start, zone) for slot in free.get(item.partner_id, [])],
            str(prices.get(item.partner_id, config.price)),
            listed=item,
            url=f"/experts/{item.partner_id}?brief={brief.id}",
        )
        for item in known
    ]
    count = ("No expert", "One expert", "Two experts", "Three experts", "Four experts", "Five experts")[min(len(cards), 5)]
    matched = brief.matched
    role = (matched.role if matched else "") or "Any role"
    return render_template(
        "portal/shortlist.html",
        **frame(),
        headline=f"{count} who {'has' if len(cards) == 1 else 'have'} been here before"
        if cards
        else "Nobody here fits this well",
        note=f"Ranked for you from {len(on_roster)} experts. Times are yours, in {shown.zone(now, zone)}." if cards else "",
        problem=brief.text,
        edit_url=f"/?brief={brief.id}",
        directory_url=None,
        understood={
            "summary": " · ".join([role, *(matched.topics[:3] if matched else ())]),
            "rows": [
                {"label": "Who you need", "value": role},
                {"label": "Topics", "value": ", ".join(matched.topics) if matched else ""},
                {"label": "Industry", "value": brief.industry or "Any"},
            ],
        },
        partners=cards,
        working=matched is None,
        hold_action="/holds",
        hold_fields={"brief": str(brief.id)},
        closest=None,
        ask_url=None,
    )


def _zone() -> str:
    return (identity.me() or _nobody).zone or "UTC"


# Holding a slot ----------------------------------------------------------------------------------------------------


@blueprint.get("/experts/<partner_id>")
def expert(partner_id: str) -> ResponseReturnValue:
    """All open times of one expert within three weeks."""
    _visitors_welcome()
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.actor()
    found_id, brief = choices.id_from(partner_id), request.args.get("brief", "")
    with parts.store.transaction(scope, actor) as tx:
        profile, now = partners.profile(tx, found_id), tx.now
        entry = partners.roster_entry(tx, found_id)
        zone = (briefs.find(tx, choices.id_from(brief)).zone if brief else "") or _zone()
    window = (now, now + timedelta(days=21))
    external = calendars.external_busy(parts.providers, config, [found_id], window)
    with parts.store.transaction(scope, actor) as tx:
        starts = (
            consultation_rows.open_slots(tx, [found_id], window, external).get(found_id, [])
            if entry and found_id in external
            else []
        )
    card = shown.partner_card(
        profile, [shown.slot(start, zone) for start in starts], str(entry.price(config) if entry else config.price)
    )
    return render_template(
        "portal/expert.html",
        **frame(),
        partner=card | {"all_times_url": None},
        days=[{"day": day, "slots": list(slots)} for day, slots in groupby(card["slots"], key=itemgetter("day"))],
        note=f"Your time, {shown.zone(now, zone)}",
        bio=profile.bio,
        cases=profile.cases,
        skills=profile.skills,
        languages=profile.languages,
        hold_action="/holds",
        hold_fields={"brief": brief} if brief else {},
        back_url=f"/briefs/{brief}" if brief else "/",
    )


@blueprint.post("/holds")
@forms.once
def hold() -> ResponseReturnValue:
    """Take the slot for ten minutes. Who is not signed in does that first, and the slot stays in the form."""
    partner, slot, brief = (request.form.get(name, "") for name in ("partner", "slot", "brief"))
    if identity.me() is None:
        kept = {"next": f"/briefs/{brief}" if brief else "/", "partner": partner, "slot": slot} | (
            {"brief": brief} if brief else {}
        )
        return redirect("/sign-up?" + urlencode(kept), 303)
    return hold_slot(partner, slot, brief)


def hold_slot(partner: str, slot: str, brief: str) -> ResponseReturnValue:
    """Hold the slot for who is signed in and go to checkout, or show what is free instead."""
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.required().actor
    partner_id, starts_at = choices.id_from(partner), choices.instant_from(slot)
    brief_id = choices.id_from(brief) if brief else None
    with parts.store.transaction(scope, actor) as tx:
        if brief_id:
            briefs.find(tx, brief_id)
        entry = partners.roster_entry(tx, partner_id)
    window = (starts_at - timedelta(days=7), starts_at + timedelta(days=7))
    external = calendars.external_busy(parts.providers, config, [partner_id], window)
    if partner_id not in external:
        return _taken(partner_id, starts_at, [], brief)
    wanted = consultations.Hold(new_id(), partner_id, starts_at, brief_id)
    refusal = _asked_plugins(wanted, actor.id, entry.price(config) if entry else config.price)
    if refusal:
        raise NotAllowed(refusal)
    try:
        parts.store.run(
            scope, actor, consultations.hold, config, wanted, minutes=parts.settings.claim_minutes, external=external[partner_id]
        )
    except consultations.SlotTaken as error:
        return _taken(partner_id, starts_at, error.nearest, brief)

    return redirect(f"/book/{wanted.consultation_id}", 303)


def _asked_plugins(wanted: consultations.Hold, client_id: UUID, price: Money) -> str | None:
    """Whether a plugin refuses the booking; asked before the transaction."""
    config = here().tenant
    booking = Booking(
        wanted.consultation_id,
        config.id,
        wanted.partner_id,
        client_id,
        wanted.starts_at,
        wanted.starts_at + consultations.SESSION,
        price,
        "requested",
    )
    return booking_requested(platform.current().providers, config, booking)


def _taken(
    partner_id: UUID, wanted: datetime, nearest: list[datetime], brief: str, *, charged: bool = False
) -> ResponseReturnValue:
    """409: the three nearest times, and others who are free near the wanted one. `charged`: a hold on the card is being ended."""
    parts, config = platform.current(), here().tenant
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        profile = partners.profile(tx, partner_id)
        others = [other for other in partners.on_roster(tx) if other.id != partner_id and set(other.roles) & set(profile.roles)][
            :12
        ]
        near = (wanted - timedelta(hours=3), wanted + timedelta(hours=4))
        free = consultation_rows.open_slots(tx, [other.id for other in others], near)
        prices = {entry.partner_id: str(entry.price(config)) for entry in partners.roster_entries(tx).values()}
    zone = _zone()
    cards = [
        shown.partner_card(other, [shown.slot(start, zone) for start in free[other.id][:3]], prices[other.id])
        for other in others
        if free.get(other.id)
    ][:3]
    page = render_template(
        "portal/slot_taken.html",
        **frame(),
        partner=shown.person(profile.name, profile.id, profile.title),
        taken=shown.time(wanted, zone)["text"],
        slots=[shown.slot(start, zone) for start in nearest],
        price=prices.get(partner_id, str(config.price)),
        charged=charged,
        hold_action="/holds",
        hold_fields={"partner": str(partner_id)} | ({"brief": brief} if brief else {}),
        others=cards,
        back={"label": "Back to the shortlist" if brief else "Back", "url": f"/briefs/{brief}" if brief else "/"},
    )
    return page, 409


# Checkout ----------------------------------------------------------------------------------------------------------


@blueprint.get("/book/<consultation_id>")
@identity.needs(Permission.BOOK)
def checkout(consultation_id: str) -> ResponseReturnValue:
    """One page, one button; or where the booking stands already."""
    return _checkout(choices.id_from(consultation_id))


def _checkout(consultation_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.required().actor
    with parts.store.transaction(scope, actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile = partners.profile(tx, row.partner_id)
        now = tx.now
    elsewhere = _elsewhere(row, paying, now)
    if elsewhere:
        return elsewhere
    if row.state != "held" or row.held_until <= now:
        return _hold_ended(row, profile, now)
    name, provider = parts.providers.chain(config, "payments")[0]
    windows, setup = provider.windows(), provider.client_setup()
    security.allow(setup.csp_sources)
    with parts.store.transaction(scope, actor) as tx:
        plan = payments.plan_of(tx, row, windows)
        saved = payment_rows.saved_method(tx, actor.id, name)
    zone = identity.required().zone
    refusal = error or (
        _REFUSALS.get(paying.reason or "", _REFUSALS["card_declined"]) if paying and paying.state == "declined" else ""
    )
    left = max(0, int((row.held_until - now).total_seconds()))
    page = render_template(
        "portal/checkout.html",
        **frame(),
        partner=_person(profile),
        span=_span(row, profile, now),
        back={"label": "Back", "url": f"/briefs/{row.brief_id}" if row.brief_id else "/"},
        other_times_url=f"/experts/{row.partner_id}",
        hold={
            "text": f"This time is held for you until {shown.clock(row.held_until, zone)}",
            "left": left,
            "total": parts.settings.claim_minutes * 60,
            "ended_url": f"/book/{row.id}",
        },
        price_rows=_price_rows(row, plan, zone),
        steps=_plan_steps(row, plan, zone),
        rules=_rules(plan, zone),
        methods=[{"value": "saved", "label": saved.label, "note": "Saved from last time"}] if saved else [],
        method="saved" if saved and not refusal else "new",
        card={"module_url": setup.module_url, "config": dict(setup.public_config)},
        no_script="",
        action=f"/book/{row.id}",
        button_label=f"Authorise {row.price} and book"
        if plan.mode is Mode.AUTHORISE_NOW
        else f"Save the card and book for {row.price}",
        consent=CONSENT,
        terms_url=None,
        error={"title": "Please look at your card." if error else "That did not work.", "text": refusal} if refusal else None,
        fields={},
    )
    return page, status


def _elsewhere(row: ConsultationRow, paying: payment_rows.PaymentRow | None, now: datetime) -> ResponseReturnValue | None:
    """Where a booking that is past checkout has its page."""
    if row.state in ("confirmed", "started", "completed", "cancelled"):
        return redirect(f"/sessions/{row.id}", 303)
    if paying and paying.state == "challenged" and paying.challenge_url:
        return redirect(f"/book/{row.id}/bank", 303)
    if paying and paying.state == "requested":
        return redirect(f"/book/{row.id}/checking", 303)
    return None


def _hold_ended(row: ConsultationRow, profile: Profile, now: datetime) -> ResponseReturnValue:
    parts = platform.current()
    # The timer that gives the time back may be a moment behind this page.
    parts.store.run(identity.scope(), CODE, consultations.release, row.id, "expired")
    with parts.store.transaction(identity.scope(), identity.actor()) as tx:
        nearest = consultation_rows.nearest_open(tx, row.partner_id, row.starts_at)
        around = consultation_rows.open_slots(tx, [row.partner_id], (row.starts_at, row.starts_at + timedelta(minutes=1)))
    page = render_template(
        "portal/hold_ended.html",
        **frame(),
        partner=_person(profile),
        span=_span(row, profile, now),
        free=bool(around.get(row.partner_id)),
        hold_action="/holds",
        hold_fields={"partner": str(row.partner_id), "slot": row.starts_at.isoformat()}
        | ({"brief": str(row.brief_id)} if row.brief_id else {}),
        slots=[shown.slot(start, _zone()) for start in nearest],
        back={"label": "Back", "url": f"/briefs/{row.brief_id}" if row.brief_id else "/"},
    )
    return page, 410


def _price_rows(row: ConsultationRow, plan: Plan, zone: str) -> list[dict[str, Any]]:
    if plan.mode is Mode.AUTHORISE_NOW:
        first = {"label": "Held on your card today", "value": str(row.price)}
    else:
        assert plan.authorise_at is not None
        first = {"label": f"Held on your card on {shown.time(plan.authorise_at, zone)['text']}", "value": str(row.price)}
    return [
        {"label": "60 minutes", "value": str(row.price)},
        first,
        {"label": "Paid after the session", "value": str(row.price), "total": True},
    ]


def _plan_steps(row: ConsultationRow, plan: Plan, zone: str) -> list[dict[str, Any]]:
    session = {
        "title": shown.time(row.starts_at, zone)["text"],
        "text": "Your session. The money is taken only once it is completed.",
        "state": "",
    }
    if plan.mode is Mode.AUTHORISE_NOW:
        return [{"title": "Today", "text": f"{row.price} is held on your card. Nothing is charged.", "state": "current"}, session]
    assert plan.authorise_at is not None
    return [
        {"title": "Today", "text": "Your card is kept. Nothing is held and nothing is charged.", "state": "current"},
        {"title": shown.time(plan.authorise_at, zone)["text"], "text": f"{row.price} is held on your card.", "state": ""},
        session,
    ]


def _rules(plan: Plan, zone: str) -> list[dict[str, str]]:
    rules = []
    for term in plan.terms:
        until = f"Until {shown.time(term.until, zone)['text']}:" if term.until else "After that:"
        rules.append(
            {"title": until, "text": "cancelling is free." if not term.amount.minor else f"cancelling costs {term.amount}."}
        )
    return rules


@blueprint.post("/book/<consultation_id>")
@identity.needs(Permission.BOOK)
@forms.once
def pay(consultation_id: str) -> ResponseReturnValue:
    """Authorise and book: the request itself asks the provider, holding the lease; a worker finishes it if this process dies."""
    parts, config, scope, actor = platform.current(), here().tenant, identity.scope(), identity.required().actor
    found_id = choices.id_from(consultation_id)
    name, provider = parts.providers.chain(config, "payments")[0]
    windows = provider.windows()
    wanted = payments.Pay(found_id, request.form.get("method_token", "")[:400], use_saved=request.form.get("method") == "saved")
    try:
        work_id = parts.store.run(scope, actor, payments.request, wanted, name, windows)
    except Gone:
        return redirect(f"/book/{found_id}", 303)
    except Invalid as error:
        return _checkout(found_id, error.message, 422)
    except FxoError as error:
        if error.code in ("payment_running", "already_paid"):
            return redirect(f"/book/{found_id}", 303)
        raise
    parts.performer.perform(config.id, work_id)
    return redirect(f"/book/{found_id}/checking", 303)


@blueprint.get("/book/<consultation_id>/checking")
@identity.needs(Permission.BOOK)
def checking(consultation_id: str) -> ResponseReturnValue:
    """Where an attempt stands: on to the session, to the bank, back to checkout, or still asking (never "declined" for
    want of an answer).
    """
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if row.state == "lost":
        return _taken_too_late(row)
    if (
        paying is None
        or paying.state in ("declined", "abandoned")
        or row.state in ("confirmed", "started", "completed", "cancelled")
    ):
        return redirect(f"/book/{row.id}" if paying is None or row.state in ("held", "released") else f"/sessions/{row.id}", 303)
    if paying.state == "challenged":
        return redirect(f"/book/{row.id}/bank", 303)
    return _still_checking(row, profile, now, f"/book/{row.id}/checking")


def _still_checking(row: ConsultationRow, profile: Profile, now: datetime, poll_url: str) -> ResponseReturnValue:
    return render_template(
        "portal/checking.html",
        **frame(),
        partner=_person(profile),
        span=_span(row, profile, now),
        amount=str(row.price),
        poll_url=poll_url,
    )


@blueprint.get("/book/<consultation_id>/bank")
@identity.needs(Permission.BOOK)
def bank(consultation_id: str) -> ResponseReturnValue:
    """The bank wants the client's own word."""
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if paying is None or paying.state != "challenged":
        return redirect(f"/book/{row.id}/checking", 303)
    return render_template(
        "portal/challenge.html",
        **frame(),
        partner=_person(profile),
        span=_span(row, profile, now),
        amount=str(row.price),
        bank_url=paying.challenge_url,
        bank_label="Go to your bank",
        hold=None,
    )


@blueprint.get("/book/<consultation_id>/return")
@identity.needs(Permission.BOOK)
def back_from_bank(consultation_id: str) -> ResponseReturnValue:
    """The client is back from the bank: ask the provider how it stands. The address itself proves nothing (hard case 7)."""
    parts, config = platform.current(), here().tenant
    row, paying, profile, now = _paying(choices.id_from(consultation_id))
    if paying and paying.state == "challenged" and paying.order_reference:
        work_id = choices.id_from(paying.order_reference)
        woken = parts.store.run(identity.scope(), CODE, _wake, work_id)
        if woken and parts.performer.perform(config.id, work_id) is Outcome.NOT_NOW:
            # The provider has told a worker meanwhile: wait for it, rather than ask the client to confirm once more.
            return _still_checking(row, profile, now, f"/book/{row.id}/return")
    return redirect(f"/book/{row.id}/checking", 303)


def _wake(tx: Any, work_id: UUID) -> bool:
    from fxo.core.work import rows

    return rows.wake(tx, work_id, offer=False)


def _paying(consultation_id: UUID) -> tuple[ConsultationRow, payment_rows.PaymentRow | None, Profile, datetime]:
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        return row, payment_rows.find(tx, payment_id_of(row.id)), partners.profile(tx, row.partner_id), tx.now


def _taken_too_late(row: ConsultationRow) -> ResponseReturnValue:
    """The money came after the hold, and the time is gone: told at once, with alternatives (hard case 6)."""
    with platform.current().store.transaction(identity.scope(), identity.actor()) as tx:
        nearest = consultation_rows.nearest_open(tx, row.partner_id, row.starts_at)
    return _taken(row.partner_id, row.starts_at, nearest, str(row.brief_id) if row.brief_id else "", charged=True)


# The session -------------------------------------------------------------------------------------------------------


@blueprint.get("/sessions")
@identity.needs(Permission.BOOK)
def sessions() -> ResponseReturnValue:
    """All of the client's sessions."""
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        rows, now = consultation_rows.mine(tx), tx.now
        people = {partner_id: partners.profile(tx, partner_id) for partner_id in {row.partner_id for row in rows}}
    items = [_session_item(row, people[row.partner_id], user.zone) for row in rows if row.state != "held" or row.held_until > now]
    ahead = {str(row.id) for row in rows if row.ends_at > now and row.state in ("held", "confirmed", "started")}
    return render_template(
        "portal/sessions.html",
        **frame(),
        upcoming=[item for item in items if item["id"] in ahead],
        past=[item for item in items if item["id"] not in ahead],
        find_url="/",
    )


_BADGES = {
    "held": ("Held, not booked yet", "warning"),
    "confirmed": ("Booked", "success"),
    "started": ("Under way", "info"),
    "completed": ("Completed", ""),
    "cancelled": ("Cancelled", "danger"),
    "lost": ("Not booked", "danger"),
    "released": ("Not booked", ""),
}


def _session_item(row: ConsultationRow, profile: Profile, zone: str) -> dict[str, Any]:
    day, _, clock = shown.time(row.starts_at, zone)["text"].partition(", ")
    text, kind = _BADGES[row.state]
    return {
        "id": str(row.id),
        "url": f"/book/{row.id}" if row.state == "held" else f"/sessions/{row.id}",
        "partner": _person(profile),
        "day": day,
        "time": clock,
        "iso": row.starts_at.isoformat(),
        "about": "",
        "badge": {"text": text, "kind": kind},
        "amount": str(row.price),
    }


@blueprint.get("/sessions/<consultation_id>")
@identity.needs(Permission.BOOK)
def session_page(consultation_id: str) -> ResponseReturnValue:
    """The place for one session, from booked to rated."""
    return _session_page(choices.id_from(consultation_id), {})


def _session_page(consultation_id: UUID, errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    user = identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        row = consultation_rows.find(tx, consultation_id)
        paying = payment_rows.find(tx, payment_id_of(row.id))
        profile, now = partners.profile(tx, row.partner_id), tx.now
        link = calendars.join_url(tx, row.id)
        rated = rating_rows.of_session(tx, row.id)
        brief = briefs.find(tx, row.brief_id).text if row.brief_id else ""
    if row.state in ("held", "released"):
        return redirect(f"/book/{row.id}", 303)
    text, kind = _BADGES[row.state]
    over = row.state in ("completed", "cancelled", "lost")
    state = "over" if over else "ready" if link else "pending"
    page = render_template(
        "portal/session.html",
        **frame(),
        partner=_person(profile),
        span=_span(row, profile, now),
        number=f"No. {str(row.id)[-12:].upper()}",
        badge={"text": text, "kind": kind},
        steps=_session_steps(row, paying, rated is not None),
        confirmed=None,
        meeting={
            "state": state,
            "url": link,
            "host": urlsplit(link or "").netloc,
            "opens": "",
            "calendar_url": None if over else f"/sessions/{row.id}/session.ics",
        },
        check_in=_check_in(row, now),
        brief={"text": brief, "edit_url": None} if brief else None,
        notes=None,
        next_steps=_next_steps(row, paying, profile, user.zone),
        payment={"rows": _payment_rows(row, paying, user.zone), "note": ""},
        receipt=None,
        rating=_rating(row, rated, errors),
        follow_up=None,
        actions=[],
        self_url=f"/sessions/{row.id}",
    )
    return page, status


def _session_steps(row: ConsultationRow, paying: payment_rows.PaymentRow | None, rated: bool) -> list[dict[str, str]]:
    at = {"confirmed": 1, "started": 1, "completed": 3}.get(row.state, 0)
    if row.state == "completed" and paying and paying.state == "captured":
        at = 5 if rated else 4
    names = ["Booked", "Session", "Completed", "Paid", "Rated"]
    return [
        {"title": name, "text": "", "state": "done" if number < at else "current" if number == at else ""}
        for number, name in enumerate(names)
    ]


def _check_in(row: ConsultationRow, now: datetime) -> dict[str, Any] | None:
    if row.state == "confirmed" and now >= row.starts_at - EARLY:
        return {"action": f"/sessions/{row.id}/check-in", "done": False, "text": ""}
    return None


def _next_steps(
    row: ConsultationRow, paying: payment_rows.PaymentRow | None, profile: Profile, zone: str
) -> list[dict[str, str]]:
    if row.state not in ("confirmed", "started"):
        return []
    held = f"{row.price} is held on {paying.method_label if paying else 'your card'}."
    if paying and paying.state == "card_saved" and paying.authorise_at:
        held = f"{row.price} will be held on {paying.method_label} on {shown.time(paying.authorise_at, zone)['text']}."
    pay = {
        "title": "You pay after the session",
        "text": f"{held} It is taken once {profile.name.split()[0]} completes the session.",
    }
    invited = {
        "title": "Invitations are on their way",
        "text": "Both of you get one by mail, and a reminder a day and an hour before.",
    }
    return [invited, pay] if row.state == "confirmed" else [pay]


_PAYMENT_WORDS = {
    "requested": "Being asked",
    "challenged": "Waiting for your bank",
    "authorised": "Held, not charged",
    "card_saved": "Card kept, nothing held",
    "captured": "Charged",
    "voided": "Not charged",
    "abandoned": "Not charged",
    "declined": "Declined",
    "failed": "Being looked at by a person",
}


def _payment_rows(row: ConsultationRow, paying: payment_rows.PaymentRow | None, zone: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"label": "60 minutes", "value": str(row.price)}]
    if paying and paying.state == "card_saved" and paying.authorise_at:
        rows.append({"label": _PAYMENT_WORDS[paying.state], "value": paying.method_label})
        rows.append({"label": "Held from", "value": shown.time(paying.authorise_at, zone)})
    elif paying:
        rows.append(
            {
                "label": _PAYMENT_WORDS.get(paying.state, paying.state),
                "value": str(paying.captured if paying.captured.minor else paying.amount),
            }
        )
        if paying.method_label:
            rows.append({"label": "Card", "value": paying.method_label})
    return rows


def _rating(row: ConsultationRow, rated: rating_rows.RatingRow | None, errors: dict[str, str]) -> dict[str, Any] | None:
    if row.state != "completed":
        return None
    if rated:
        return {"action": "", "stars": rated.stars, "text": rated.comment, "given": True, "errors": {}, "help": ""}
    return {
        "action": f"/sessions/{row.id}/rating",
        "stars": request.form.get("stars", type=int),
        "text": request.form.get("text", ""),
        "given": False,
        "errors": errors,
        "help": "",
    }


@blueprint.post("/sessions/<consultation_id>/check-in")
@identity.needs(Permission.BOOK)
@forms.once
def check_in(consultation_id: str) -> ResponseReturnValue:
    """The client is there."""
    found_id = choices.id_from(consultation_id)
    platform.current().store.run(identity.scope(), identity.required().actor, consultations.check_in, found_id)
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.post("/sessions/<consultation_id>/rating")
@identity.needs(Permission.BOOK)
@forms.once
def rate(consultation_id: str) -> ResponseReturnValue:
    """Rate a completed session."""
    found_id, stars = choices.id_from(consultation_id), request.form.get("stars", "")
    try:
        platform.current().store.run(
            identity.scope(),
            identity.required().actor,
            ratings.rate,
            found_id,
            int(stars) if stars.isdecimal() else 0,
            request.form.get("text", ""),
            public=True,
        )
    except Invalid as error:
        return _session_page(found_id, {"text" if error.field == "comment" else "stars": error.message}, 422)
    flash("Thank you. Your rating helps the next person choose.", "success")
    return redirect(f"/sessions/{found_id}", 303)


@blueprint.get("/sessions/<consultation_id>/session.ics")
@identity.needs(Permission.BOOK)
def calendar_file(consultation_id: str) -> ResponseReturnValue:
    """The session for the client's own calendar."""
    found_id = choices.id_from(consultation_id)
    with platform.current().store.transaction(identity.scope(), identity.required().actor) as tx:
        consultation_rows.find(tx, found_id)
    with platform.current().store.transaction(identity.scope(), CODE) as tx:
        gathered = facts.gather(tx, here().tenant, found_id)
        wanted = facts.meeting_wanted(here().tenant, gathered, str(derived_id(found_id, "meeting")))
        body = invitation(wanted, "REQUEST", gathered.join_url, now=tx.now)
    return Response(body, mimetype="text/calendar", headers={"Content-Disposition": "attachment; filename=session.ics"})


def _person(profile: Profile) -> dict[str, Any]:
    return shown.person(profile.name, profile.id, profile.title) | {
        "rating": {"value": f"{profile.rating:.1f}" if profile.rating else None, "count": profile.ratings}
    }


def _span(row: ConsultationRow, profile: Profile, now: datetime) -> dict[str, str]:
    first = profile.name.split()[0]
    return shown.span(row.starts_at, row.ends_at, identity.required().zone, now=now, other=(first, profile.zone))
