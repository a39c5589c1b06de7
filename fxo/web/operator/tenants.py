"""The tenants: what each has agreed, how it stands, making a new one, pausing one."""

from __future__ import annotations

import re
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import Conflict, FxoError, Invalid, ProviderError
from fxo.core.ids import new_id
from fxo.core.scope import FeeBearer, Permission, TenantConfig, system_scope, tenant_scope
from fxo.core.work import alarms
from fxo.tenants import invitations, operations, records
from fxo.tenants.operations import TenantRow
from fxo.web import amounts, choices, forms, identity, provider_words, shown
from fxo.web.admin.branding_form import colour_from
from fxo.web.language import _, ngettext
from fxo.web.operator.blueprint import act, blueprint, page, used
from fxo.web.said import done

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
CURRENCIES = ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "SEK", "NOK", "DKK", "JPY", "SGD")
_FIELDS = ("slug", "name", "price", "currency", "share", "domains", "hosts", "colour", "tagline")


def tenant_row(one: TenantRow) -> dict[str, Any]:
    """A tenant as a line of a table."""
    settings = platform.current().settings
    host = one.hosts[0] if one.hosts else settings.host(one.slug)
    return {
        "name": one.name, "url": f"/tenants/{one.id}", "host": host, "portal_url": settings.url(host), "price": str(one.price),
        "partners": str(one.partners), "members": str(one.members), "sessions": str(one.sessions), "ahead": str(one.ahead),
        "alarms": str(one.alarms) if one.alarms else "", "badge": _badge(one),
    }  # fmt: skip


def _badge(one: TenantRow) -> dict[str, str]:
    if one.suspended_at:
        return {"text": _("Suspended"), "kind": "warning"}
    return {"text": _("Open"), "kind": "success"} if one.open else {"text": _("Members only"), "kind": ""}


@blueprint.get("/tenants")
@identity.needs(Permission.RUN_PLATFORM)
def tenants() -> ResponseReturnValue:
    """Every tenant."""
    with used("tenants") as tx:
        found, (number, _settled) = operations.tenants(tx), alarms.counts(tx)
    return page(
        "operator/tenants.html", alarms=number, rows=[tenant_row(one) for one in found],
        note=ngettext("%(num)s tenant", "%(num)s tenants", len(found)),
    )  # fmt: skip


@blueprint.get("/tenants/new")
@identity.needs(Permission.RUN_PLATFORM)
def new() -> ResponseReturnValue:
    """The form for a new tenant."""
    return _new({"currency": "USD", "price": "800", "share": "80", "open": "on"}, {})


def _new(form: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    with used("tenants: form for a new one") as tx:
        number, _settled = alarms.counts(tx)
    return page(
        "operator/tenant_new.html", alarms=number, form=form, errors=errors, base=platform.current().settings.base_domain,
        currencies=[{"value": each, "label": each} for each in CURRENCIES],
    ), status  # fmt: skip


@blueprint.post("/tenants/new")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def create() -> ResponseReturnValue:
    """Make the tenant, as `fxo tenants create` does."""
    form = {name: request.form.get(name, "").strip() for name in _FIELDS} | {"open": request.form.get("open", "")}
    wanted, errors = _wanted(form)
    if wanted is None:
        return _new(form, errors, 422)
    try:
        tenant_id = act(f"tenants: created {wanted.slug}", system_scope("tenants"), records.create, wanted)
    except (Invalid, Conflict) as error:
        return _new(form, {error.field or "form": error.message}, error.status)
    done(_("The portal is open. Next: invite its administrator, who looks after everything else."))
    return redirect(f"/tenants/{tenant_id}", 303)


def _wanted(form: dict[str, str]) -> tuple[records.NewTenant | None, dict[str, str]]:
    """What `records.create` takes, or a sentence for each field that has to be mended."""
    errors: dict[str, str] = {}
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}[a-z0-9]", form["slug"]):
        errors["slug"] = _("Use 2 to 41 lower-case letters, digits and dashes, beginning with a letter.")
    if not 0 < len(form["name"]) <= 60 or not form["name"].isprintable():
        errors["name"] = _("Use 1 to 60 characters on one line.")
    if len(form["tagline"]) > 80 or not form["tagline"].isprintable():
        errors["tagline"] = _("Use at most 80 characters on one line.")
    if form["currency"] not in CURRENCIES:
        errors["currency"] = _("Choose one of the list.")
    if form["colour"] and not colour_from(form["colour"]):
        errors["colour"] = _("Write the colour as # and six digits or letters from a to f, such as #104e39.")
    domains, hosts = _domains("domains", form, errors), _domains("hosts", form, errors)
    price, share = None, 0
    try:
        price = amounts.money_from(form["price"], form["currency"], "price") if "currency" not in errors else None
    except Invalid as error:
        errors["price"] = error.message
    try:
        share = amounts.share_from(form["share"], "share")
    except Invalid as error:
        errors["share"] = error.message
    if errors or price is None:
        return None, errors
    brand = {key: value for key, value in (("colour", colour_from(form["colour"])), ("tagline", form["tagline"])) if value}
    return records.NewTenant(
        form["slug"], form["name"], price, share, visitors_may_match=bool(form["open"]), mail_domains=domains, brand=brand,
        hosts=hosts, id=new_id(),
    ), {}  # fmt: skip


def _domains(name: str, form: dict[str, str], errors: dict[str, str]) -> tuple[str, ...]:
    found = [each.removeprefix("@") for each in re.split(r"[\s,;]+", form[name].lower()) if each]
    base = platform.current().settings.base_domain
    for each in found:
        if not _DOMAIN.fullmatch(each):
            errors[name] = _("“%(domain)s” is no domain; it should read like globex.example.", domain=each[:60])
        elif name == "hosts" and (each == base or each.endswith("." + base)):
            errors[name] = _("“%(domain)s” belongs to the platform itself.", domain=each[:60])
    return tuple(dict.fromkeys(found))


@blueprint.get("/tenants/<tenant_id>")
@identity.needs(Permission.RUN_PLATFORM)
def tenant(tenant_id: str) -> ResponseReturnValue:
    """One tenant: addresses, what was agreed, who is there, how it stands."""
    return _tenant(tenant_id, {}, {})


def _tenant(tenant_id: str, typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    found = choices.id_from(tenant_id)
    with used(f"tenant {found}") as tx:
        one, (number, _settled) = operations.tenant(tx, found), alarms.counts(tx)
    row, settings, zone = one.row, platform.current().settings, identity.required().zone
    addresses, config = [settings.host(row.slug), *row.hosts], platform.current().records.by_slug(row.slug)
    return page(
        "operator/tenant.html", alarms=number, action=f"/tenants/{row.id}", name=row.name, badge=_badge(row),
        typed=typed, errors=errors, portal_url=tenant_row(row)["portal_url"], administrators=one.administrators,
        suspended=shown.time(row.suspended_at, zone) if row.suspended_at else None,
        domains=["@" + each for each in one.mail_domains],
        alarms_here=ngettext("%(num)s open alarm", "%(num)s open alarms", row.alarms) if row.alarms else "",
        alarms_url=f"/alarms?tenant={row.id}", partners_url=f"/partners?tenant={row.id}",
        stats=[
            {"label": _("Roster"), "value": row.partners, "note": _("experts")},
            {"label": _("Members"), "value": row.members,
             "note": ngettext("%(num)s administrator", "%(num)s administrators", one.administrators)},
            {"label": _("Sessions"), "value": row.sessions, "note": _("booked and done")},
            {"label": _("Ahead"), "value": row.ahead, "note": _("booked")},
        ],
        facts=[
            *({"label": _("Address"), "value": each, "url": settings.url(each)} for each in addresses),
            {"label": _("Visitors"), "value": _("see matches") if row.open else _("see only the sign-in")},
            {"label": _("Who may sign up"), "value": ", ".join("@" + each for each in one.mail_domains) or _("Anybody")},
            {"label": _("Since"), "value": shown.date(row.created_at, zone)},
        ],
        terms=[
            {"label": _("60 minutes"), "value": str(row.price)},
            {"label": _("Expert and platform"), "value": amounts.split(row.partner_share)},
            {"label": _("Cancelling is free until"),
             "value": ngettext("%(num)s hour before", "%(num)s hours before", one.policy["free_until_hours"])},
        ],
        bearers=[{"value": str(each), "label": amounts.bearer(each)} for each in FeeBearer], bearer=str(config.fee_bearer),
        providers=[
            {"label": provider_words.ports()[port], "value": _in_use(config, port)} for port in platform.current().plugins.ports
        ],
    ), status  # fmt: skip


def _in_use(config: TenantConfig, port: Any) -> str:
    """The names of the tenant's providers, in the order in which they are asked."""
    parts = platform.current()
    try:
        return ", ".join(provider_words.label(name) for name, _provider in parts.providers.chain(config, port)) or _("None")
    except (FxoError, ProviderError):
        return _("Cannot be used: look at its settings")


@blueprint.post("/tenants/<tenant_id>/fees")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def let_bear_fees(tenant_id: str) -> ResponseReturnValue:
    """Who bears the payment provider's fee of what is booked from now on."""
    found, wanted = choices.id_from(tenant_id), request.form.get("bearer", "")
    if wanted not in list(FeeBearer):
        return _tenant(tenant_id, {}, {"bearer": _("Choose one of the list.")}, 422)
    act(f"tenants: fees of {found}", system_scope("tenants"), records.let_bear_fees, found, FeeBearer(wanted))
    done(_("Saved. It counts for what is booked from now on."))
    return redirect(f"/tenants/{found}", 303)


@blueprint.post("/tenants/<tenant_id>/suspend")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def suspend_tenant(tenant_id: str) -> ResponseReturnValue:
    """The portal takes nothing new; what is booked goes on."""
    found = choices.id_from(tenant_id)
    act(f"tenants: suspended {found}", system_scope("tenants"), records.pause, found, suspended=True)
    done(_("Suspended: the portal takes nothing new. Sessions that are booked take place."), f"/tenants/{found}/resume")
    return redirect(f"/tenants/{found}", 303)


@blueprint.post("/tenants/<tenant_id>/resume")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def resume_tenant(tenant_id: str) -> ResponseReturnValue:
    """The portal is open again."""
    found = choices.id_from(tenant_id)
    act(f"tenants: resumed {found}", system_scope("tenants"), records.pause, found, suspended=False)
    done(_("Open again, as it was before."))
    return redirect(f"/tenants/{found}", 303)


@blueprint.post("/tenants/<tenant_id>/invite")
@identity.needs(Permission.RUN_PLATFORM)
@forms.once
def invite_administrator(tenant_id: str) -> ResponseReturnValue:
    """Invite an administrator: the first one of a new tenant, or one more where nobody can."""
    found, mail = choices.id_from(tenant_id), request.form.get("mail", "").strip()
    with used(f"tenant {found}") as tx:
        operations.tenant(tx, found)
    parts = platform.current()

    def ask(tx: Any) -> None:
        invitations.invite(tx, parts.records.of_scope(tx), mail, "administrator")

    try:
        act(f"tenants: invited an administrator of {found}", tenant_scope(found), ask)
    except (Invalid, Conflict) as error:
        return _tenant(tenant_id, {"mail": mail}, {"mail": error.message}, error.status)
    done(_("The invitation to %(mail)s is on its way.", mail=mail))
    return redirect(f"/tenants/{found}", 303)
