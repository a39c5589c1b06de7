"""The members of a tenant: who they are, what they may do, who is invited."""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo.core.errors import Conflict, Invalid
from fxo.core.notifications import suppressions
from fxo.core.notifications.port import Channel
from fxo.core.scope import Permission
from fxo.tenants import invitations, membership, tokens
from fxo.tenants.membership import Person
from fxo.web import choices, forms, identity, paging, shown
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _, ngettext
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/members"


def roles() -> dict[str, str]:
    """The roles of a tenant in words."""
    return {"client": _("Client"), "administrator": _("Administrator")}


@blueprint.get("/members")
@identity.needs(Permission.MANAGE_TENANT)
def people() -> ResponseReturnValue:
    """Members and invited people."""
    return _people({}, {})


def _people(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    config, asked = here().tenant, paging.asked("q", "role", "state")
    wanted = membership.Wanted(asked.of("q"), asked.of("role"), asked.of("state"), paging.SIZE, asked.offset)
    with reading() as tx:
        (found, total), counts, now = membership.people(tx, wanted), membership.counts(tx), tx.now
        dead = suppressions.dead_among(tx, Channel.MAIL, [one.mail for one in found])
    labels = {"": _("All"), "active": _("Active"), "invited": _("Invited"), "deactivated": _("Deactivated")}
    return page(
        "admin/members.html", asked=asked, typed=typed, errors=errors, domains=["@" + each for each in config.mail_domains],
        role_options=[{"value": value, "label": label} for value, label in roles().items()],
        role_filter=[{"value": "", "label": _("Any role")}, *({"value": v, "label": label} for v, label in roles().items())],
        tabs=[
            {"label": label, "url": asked.url(state=name), "current": name == asked.of("state"),
             "count": counts.get(name, sum(counts.values()))}
            for name, label in labels.items()
        ],
        rows=[_shown(one, now, dead=one.mail in dead) for one in found], foot=paging.foot(asked, total, len(found)),
        life=ngettext("%(num)s day", "%(num)s days", tokens.LIVES[tokens.INVITATION].days),
    ), status  # fmt: skip


def _shown(one: Person, now: Any, *, dead: bool = False) -> dict[str, Any]:
    me = identity.required()
    words = {
        "active": (_("Active"), "success"), "deactivated": (_("Deactivated"), ""), "invited": (_("Invited"), "info"),
    }[one.state]  # fmt: skip
    if one.state == "invited" and one.since + tokens.LIVES[tokens.INVITATION] < now:
        words = (_("Invitation too old"), "warning")
    if dead and one.state != "deactivated":
        words = (_("Mails come back"), "warning")
    return {
        "id": str(one.id), "name": one.name or one.mail, "mail": one.mail if one.name else "", "state": one.state,
        "role": roles()[one.role], "badge": {"text": words[0], "kind": words[1]},
        "url": f"{_HERE}/{one.id}" if one.state != "invited" else None, "me": one.id == me.actor.id,
        "since": shown.date(one.since, me.zone),
        "seen": shown.time(one.signed_in_at, me.zone) if one.signed_in_at else "",
    }  # fmt: skip


@blueprint.post("/members/invite")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def invite() -> ResponseReturnValue:
    """Mail somebody a link with which they can make an account here."""
    typed = {name: request.form.get(name, "").strip() for name in ("mail", "role")}
    try:
        run(invitations.invite, here().tenant, typed["mail"], typed["role"])
    except (Invalid, Conflict) as error:
        return _people(typed, {error.field or "mail": error.message}, error.status)
    done(_("The invitation to %(mail)s is on its way.", mail=typed["mail"]))
    return redirect(_HERE, 303)


@blueprint.post("/members/<member_id>/invite-again")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def invite_again(member_id: str) -> ResponseReturnValue:
    """Mail a new link; earlier ones work no longer."""
    run(invitations.invite_again, choices.id_from(member_id))
    done(_("A new link is on its way. Earlier ones work no longer."))
    return redirect(_HERE, 303)


@blueprint.post("/members/<member_id>/revoke")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def revoke(member_id: str) -> ResponseReturnValue:
    """Take an invitation back."""
    run(invitations.revoke, choices.id_from(member_id))
    done(_("The invitation is taken back; its link works no longer."))
    return redirect(_HERE, 303)


@blueprint.get("/members/<member_id>")
@identity.needs(Permission.MANAGE_TENANT)
def member(member_id: str) -> ResponseReturnValue:
    """One member: role, state, what they have booked."""
    return _member(member_id, "")


def _member(member_id: str, error: str, status: int = 200) -> ResponseReturnValue:
    found, me = choices.id_from(member_id), identity.required()
    with reading() as tx:
        one, ahead = membership.person(tx, found), membership.sessions_ahead(tx, found)
        now = tx.now
    if one.state == "invited":
        return redirect(_HERE, 303)
    return page(
        "admin/member.html", one=_shown(one, now), error=error, action=f"{_HERE}/{one.id}",
        person=shown.person(one.name or one.mail, one.id, roles()[one.role]), role=one.role,
        role_options=[
            {"value": "client", "label": _("Client"), "note": _("Finds experts, books and meets them.")},
            {"value": "administrator", "label": _("Administrator"),
             "note": _("Also changes branding, roster, prices and members.")},
        ],
        sessions=[{"when": shown.time(each.starts_at, me.zone), "partner": each.partner} for each in ahead],
        sessions_note=ngettext("%(num)s session is booked", "%(num)s sessions are booked", len(ahead)) if ahead else "",
    ), status  # fmt: skip


@blueprint.post("/members/<member_id>/role")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def role(member_id: str) -> ResponseReturnValue:
    """Another role for a member; the last administrator stays one."""
    found, wanted = choices.id_from(member_id), request.form.get("role", "")
    try:
        before = run(membership.set_role, found, wanted)
    except (Invalid, Conflict) as error:
        return _member(member_id, error.message, error.status)
    if found == identity.required().actor.id and wanted != "administrator":
        return redirect("/", 303)
    if before != wanted:
        text = _("The role is %(role)s now, from their next page on.", role=roles()[wanted])
        done(text, f"{_HERE}/{found}/role", {"role": before})
    return redirect(f"{_HERE}/{found}", 303)


@blueprint.post("/members/<member_id>/deactivate")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def deactivate(member_id: str) -> ResponseReturnValue:
    """No sign-in any more, at once and everywhere; what is booked stands."""
    found = choices.id_from(member_id)
    try:
        run(membership.shut_out, found)
    except Conflict as error:
        return _member(member_id, error.message, error.status)
    done(_("Deactivated and signed out everywhere. What they have booked stands."), f"{_HERE}/{found}/reactivate")
    return redirect(f"{_HERE}/{found}", 303)


@blueprint.post("/members/<member_id>/reactivate")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def reactivate(member_id: str) -> ResponseReturnValue:
    """A deactivated member may sign in again."""
    found = choices.id_from(member_id)
    run(membership.let_in, found)
    done(_("They can sign in again, with the password they had."))
    return redirect(f"{_HERE}/{found}", 303)
