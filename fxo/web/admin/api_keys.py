"""Keys of programs that use the portal's API: made here and shown once, listed, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo.core.clock import system_now
from fxo.core.errors import Invalid
from fxo.core.scope import Permission
from fxo.tenants import api_keys as keys
from fxo.web import choices, forms, identity, shown
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _, ngettext, said
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/api-keys"
_USUAL = {"days": "90", "acts": "reads"}


class _MadeKey(forms.ShownOnce):
    elsewhere = f"{_HERE}?again=1"


@blueprint.get("/api-keys")
@identity.needs(Permission.MANAGE_TENANT)
def api_keys() -> ResponseReturnValue:
    """Every key with what it may do, and the form for a new one."""
    return _keys(_USUAL, {}, again="again" in request.args)


def _keys(typed: dict[str, str], errors: dict[str, str], status: int = 200, *, again: bool = False) -> ResponseReturnValue:
    with reading() as tx:
        found = keys.list_(tx)
    now = system_now()
    found.sort(key=lambda key: (key.state(now) != "active", -key.created_at.timestamp()))
    return page(
        "admin/api_keys.html", rows=[_shown(key, now) for key in found], typed=typed, errors=errors, again=again,
        longest=keys.LONGEST_NAME, ends=_ends(), scopes=_scopes(), example=_example(),
    ), status  # fmt: skip


def _scopes() -> list[dict[str, str]]:
    return [
        {"value": "reads", "label": _("Read for the portal"),
         "note": _("Experts, free times and everybody’s sessions, without cards and links. It changes nothing.")},
        {"value": "me", "label": _("Act for you"),
         "note": _("Briefs, shortlists, booking and cancelling in your name, with what you may do as a client.")},
    ]  # fmt: skip


def _ends() -> list[dict[str, str]]:
    lives = [{"value": str(days), "label": ngettext("After %(num)s day", "After %(num)s days", days)} for days in keys.LIVES]
    return [*lives, {"value": "0", "label": _("When it is revoked")}]


def _example() -> str:
    """A first request, with the key in a variable of the shell."""
    return f"curl -H \"Authorization: Bearer $FXO_KEY\" '{here().tenant.portal_url}/api/v1/partners?limit=2'"


def _shown(key: keys.Key, now: datetime) -> dict[str, Any]:
    zone, state = identity.required().zone, key.state(now)
    badge = {"active": (_("Active"), "success"), "ended": (_("Ended"), "warning"), "revoked": (_("Revoked"), "")}[state]
    if key.revoked_at:
        since = _("since %(date)s", date=shown.date(key.revoked_at, zone)["text"])
    elif key.ends_at:
        since = _("until %(date)s", date=shown.date(key.ends_at, zone)["text"])
    else:
        since = _("until it is revoked")
    return {
        "id": str(key.id), "name": key.name, "active": state == "active", "badge": {"text": badge[0], "kind": badge[1]},
        "since": since, "acts": key.mail, "made": shown.date(key.created_at, zone), "maker": key.maker or _("the operator"),
        "used": shown.time(key.used_at, zone) if key.used_at else "",
    }  # fmt: skip


@blueprint.post("/api-keys")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def create_api_key() -> ResponseReturnValue:
    """A new key, on a page that is shown once."""
    typed = {name: request.form.get(name, "").strip() for name in ("name", "acts", "days")}
    try:
        key = run(keys.create, typed["name"], _mail(typed["acts"]), _days(typed["days"]))
    except Invalid as error:
        return _keys(typed, {error.field or "name": said(error)}, error.status)
    return _MadeKey(page("admin/api_key.html", key=key, name=" ".join(typed["name"].split()), example=_example()))


def _mail(acts: str) -> str | None:
    """Whom the key acts for, as the form says it."""
    if acts not in ("reads", "me"):
        raise Invalid("Please choose what the key may do.", field="acts")
    return identity.required().mail if acts == "me" else None


def _days(text: str) -> int:
    if text not in {"0", *map(str, keys.LIVES)}:
        raise Invalid("Please choose one of the times after which the key ends.", field="days")
    return int(text)


@blueprint.post("/api-keys/<key_id>/revoke")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def revoke_api_key(key_id: str) -> ResponseReturnValue:
    """The key is worth nothing from the next request on."""
    run(keys.revoke, choices.id_from(key_id))
    done(_("The key is revoked. Programs that use it are refused from now on."))
    return redirect(_HERE, 303)
