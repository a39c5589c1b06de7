"""A tenant's settings, roster and members, as its administrator sees them; read-only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.money import WHOLE
from fxo.core.partners import queries as partners
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants import members
from fxo.web import identity, shown
from fxo.web.assets import brand_of_place
from fxo.web.frame import frame
from fxo.web.places import here

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

_ROLES = {"client": "Client", "administrator": "Administrator"}


@blueprint.get("")
@identity.needs(Permission.MANAGE_TENANT)
def home() -> ResponseReturnValue:
    """What this portal sells, to whom, and who answers."""
    config, user = here().tenant, identity.required()
    with platform.current().store.transaction(identity.scope(), user.actor) as tx:
        people, entries, everybody = partners.on_roster(tx), partners.roster_entries(tx), members.all_of(tx)
    return render_template(
        "admin/home.html", **frame(), settings=_settings(config), domains=list(config.mail_domains),
        palette={"brand": brand_of_place()},
        roster=[
            {"name": one.name, "title": one.title, "url": f"/experts/{one.id}", "price": str(entries[one.id].price(config)),
             "split": _split(entries[one.id].share(config)), "badge": {"text": "Bookable", "kind": "success"}}
            for one in people
        ],
        members={
            "total": len(everybody),
            "rows": [
                {"who": {"text": one.name, "note": one.mail, "strong": True}, "role": _ROLES[one.role],
                 "since": shown.time(one.joined_at, user.zone)}
                for one in everybody
            ],
        },
    )  # fmt: skip


def _settings(config: TenantConfig) -> list[dict[str, Any]]:
    policy = config.policy
    providers = [
        {"label": port.capitalize(), "value": ", ".join(choice.name for choice in choices)}
        for port, choices in sorted(config.providers.items())
    ]
    return [
        {"label": "Address", "value": config.portal_url, "url": config.portal_url},
        {"label": "60 minutes", "value": str(config.price)},
        {"label": "Expert and platform", "value": _split(config.partner_share)},
        {"label": "Cancelling is free until", "value": f"{policy.free_until_hours} hours before"},
        {"label": "After that", "value": f"{policy.late_percent}%, in full from {policy.half_until_hours} hours before"},
        {"label": "Visitors see matches", "value": "Yes" if config.visitors_may_match else "No, only members"},
        *providers,
    ]


def _split(share: int) -> str:
    return f"{share / 100:g} / {(WHOLE - share) / 100:g}"
