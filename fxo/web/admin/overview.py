"""The administrator's first page: what needs doing, and how the portal stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask.typing import ResponseReturnValue

from fxo.core.scope import Permission, TenantConfig
from fxo.tenants.overview import Figures, figures
from fxo.web import amounts, identity, provider_words
from fxo.web.admin.blueprint import blueprint, page, reading
from fxo.web.language import _, ngettext
from fxo.web.places import here


@blueprint.get("")
@identity.needs(Permission.MANAGE_TENANT)
def home() -> ResponseReturnValue:
    """What needs doing, figures, and what was agreed for this portal."""
    config, zone = here().tenant, ZoneInfo(identity.required().zone)
    with reading() as tx:
        local = tx.now.astimezone(zone)
        found = figures(tx, _month(local))
    return page(
        "admin/overview.html", todo=_todo(config, found), settings=_settings(config), portal_url=config.portal_url,
        stats=[
            {"label": _("Sessions this month"), "value": found.month, "note": _("booked and done")},
            {"label": _("Ahead"), "value": found.ahead,
             "note": ngettext("%(num)s within seven days", "%(num)s within seven days", found.week)},
            {"label": _("Members"), "value": found.members,
             "note": ngettext("%(num)s administrator", "%(num)s administrators", found.administrators)},
            {"label": _("Experts"), "value": found.bookable, "note": _("can be booked now")},
        ],
    )  # fmt: skip


def _month(local: datetime) -> tuple[datetime, datetime]:
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)
    return first, after


def _todo(config: TenantConfig, found: Figures) -> list[dict[str, str]]:
    """What a portal still lacks, the most needed first."""
    wanted = []
    if not found.bookable:
        wanted.append({
            "title": _("Nobody can be booked yet"), "icon": "briefcase-business",
            "text": _("Until an expert is on the roster, members find nobody."),
            "url": "/admin/roster/add", "label": _("Add experts"),
        })  # fmt: skip
    if not config.brand.get("logo_url"):
        wanted.append({
            "title": _("No logo yet"), "icon": "palette",
            "text": _("The portal shows the first letter of its name. Your own picture takes a minute."),
            "url": "/admin/branding#logo", "label": _("Choose a logo"),
        })  # fmt: skip
    if not config.brand.get("examples"):
        wanted.append({
            "title": _("No example briefs of your own"), "icon": "file-text",
            "text": _("Two or three in your people's words show them what they can ask."),
            "url": "/admin/branding#examples", "label": _("Write examples"),
        })  # fmt: skip
    if found.members == found.administrators and not found.invited:
        wanted.append({
            "title": _("Nobody is invited yet"), "icon": "users",
            "text": _("Invite the first people, or tell them the address: they can sign up by themselves."),
            "url": "/admin/members#invite", "label": _("Invite somebody"),
        })  # fmt: skip
    elif found.administrators == 1:
        wanted.append({
            "title": _("You are the only administrator"), "icon": "key-round",
            "text": _("With a second one, nobody has to wait while you are away."),
            "url": "/admin/members", "label": _("Choose a second one"),
        })  # fmt: skip
    return wanted


def _settings(config: TenantConfig) -> list[dict[str, Any]]:
    policy = config.policy
    providers = [
        {"label": provider_words.ports().get(port, port), "value": ", ".join(map(provider_words.label, names))}
        for port in sorted(config.providers)
        if (names := [choice.name for choice in config.chosen(port)])
    ]
    return [
        {"label": _("Address"), "value": config.portal_url, "url": config.portal_url},
        {"label": _("60 minutes"), "value": str(config.price)},
        {"label": _("Expert and platform"), "value": amounts.split(config.partner_share)},
        {"label": _("Payment provider's fee"), "value": amounts.bearer(config.fee_bearer)},
        {"label": _("Cancelling is free until"),
         "value": ngettext("%(num)s hour before", "%(num)s hours before", policy.free_until_hours)},
        {"label": _("After that"),
         "value": _("%(percent)s%%, all from %(hours)s hours before",
                    percent=policy.late_percent, hours=policy.half_until_hours)},
        {"label": _("Who may sign up"),
         "value": ", ".join("@" + domain for domain in config.mail_domains) or _("Anybody")},
        {"label": _("Visitors see matches"), "value": _("Yes") if config.visitors_may_match else _("No, only members")},
        *providers,
    ]  # fmt: skip
