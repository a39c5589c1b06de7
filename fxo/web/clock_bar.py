"""The demo's clock on every page: what time it is there, and what will happen next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fxo import platform
from fxo.core.clock import in_zone
from fxo.core.ids import NETWORK
from fxo.core.work import demo_clock
from fxo.core.work.demo_clock import Coming
from fxo.web import identity
from fxo.web.language import _
from fxo.web.places import OPS, PORTAL, here


def clock_bar(return_to: str) -> dict[str, Any] | None:
    """The variables of the bar; None where the clock is the real one."""
    parts = platform.current()
    if not parts.settings.demo:
        return None
    now, found = demo_clock.coming()
    user = identity.me()
    zone = user.zone if user else "UTC"
    return {
        "now": {"text": in_zone(now, zone), "iso": now.isoformat()},
        "next": told(found[0], now, zone) if found else None,
        "action": "/demo/clock",
        "return_to": return_to,
        "outbox_url": "/demo/outbox",
        "panel_url": "/demo",
    }


def told(coming: Coming, now: datetime, zone: str) -> dict[str, Any]:
    """What will happen, in words: {what, when (Time)}. People are named to those alone who have to do with each other."""
    when = coming.due_at.astimezone(ZoneInfo(zone))
    days = (when.date() - now.astimezone(ZoneInfo(zone)).date()) // timedelta(days=1)
    words = {0: _("today %(time)s", time=f"{when:%H:%M}"), 1: _("tomorrow %(time)s", time=f"{when:%H:%M}")}
    text = words.get(days) or in_zone(coming.due_at, zone)
    return {"what": _what(coming), "when": {"text": text, "iso": coming.due_at.isoformat()}}


def _what(coming: Coming) -> str:
    parts, place = platform.current(), here()
    if coming.tenant_id == NETWORK:
        return _("work behind the scenes")
    if place.kind == PORTAL and place.tenant.id != coming.tenant_id:
        return _("something in another portal")
    pair = demo_clock.between(parts.store, coming)
    if pair is None:
        return _("a mail") if coming.kind == "mail" else _("work behind the scenes")
    user = identity.me()
    if user is not None and (place.kind == OPS or user.actor.id in (pair.client_id, pair.partner_id)):
        return _sentence(coming, pair.client, pair.partner)
    return _sentence(coming, _("a client"), _("an expert"))


def _sentence(coming: Coming, client: str, partner: str) -> str:
    message = str(coming.body.get("message", ""))
    reader = partner if message.endswith("_partner") else client
    match coming.kind:
        case "mail" if message.startswith("reminder"):
            return _("a reminder to %(name)s", name=reader)
        case "mail":
            return _("a mail to %(name)s", name=reader)
        case "consultations.start":
            return _("%(client)s and %(partner)s meet", client=client, partner=partner)
        case "consultations.release":
            return _("the time held for %(client)s is given back", client=client)
        case "consultations.lapse":
            return _("the request of %(client)s is given back, if %(partner)s has not answered", client=client, partner=partner)
        case "consultations.look_who_came":
            return _("is anybody missing between %(client)s and %(partner)s?", client=client, partner=partner)
        case "consultations.conclude":
            return _("the session of %(client)s and %(partner)s stands, if nobody has objected", client=client, partner=partner)
        case "consultations.end_rescue":
            return _("what is held for %(client)s is let go, if nobody takes over", client=client)
        case "payments.authorise_saved":
            return _("the saved card of %(client)s is authorised", client=client)
        case "payments.give_up":
            return _("the time of %(client)s is given back if the card is still refused", client=client)
        case "payments.settle":
            return _("%(client)s pays for the session with %(partner)s", client=client, partner=partner)
        case "calendars.check_link":
            return _("the meeting link of %(client)s and %(partner)s is checked", client=client, partner=partner)
    return _("work for %(client)s and %(partner)s", client=client, partner=partner)
