"""One provider of a portal: its settings, made from its own model, a test, and how it fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.errors import Conflict, Invalid, Misconfigured, NotFound
from fxo.core.hookspecs import ProviderSpec
from fxo.core.plugins import fared, plugin_of
from fxo.core.plugins.fared import Seen
from fxo.core.plugins.faring import Kind
from fxo.core.plugins.resilience import SHORTEST
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants import choosing, membership, throttle
from fxo.tenants.choosing import Wanted
from fxo.tenants.outside import leads_inside
from fxo.tenants.trying import Reader, Tried, try_out
from fxo.web import connecting, forms, identity, provider_words, shown
from fxo.web.admin import provider_form, standing
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _, ngettext, said
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/providers"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was sent and could not be taken: all of it but secrets."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    conflict: str = ""


@blueprint.get("/providers/<name>")
@identity.needs(Permission.MANAGE_TENANT)
def provider(name: str) -> ResponseReturnValue:
    """Its settings, and how it fares."""
    return _provider(name)


def _provider(name: str, typed: Typed | None = None, tried: Tried | None = None, status: int = 200) -> ResponseReturnValue:
    parts, spec = platform.current(), standing.spec_of(name)
    port, zone = spec.port, identity.required().zone
    with reading() as tx:
        config = parts.records.of_scope(tx)
        seen = {each.provider: each for each in fared.read(tx.driver, system_now())}
        changes = choosing.history(tx, name)
        people = membership.names(tx, [each.by for each in changes[:10]])
        with_money = choosing.payments_with(tx, name) if port == "payments" else 0
    _refuse_strangers(config, name)
    choice, model = standing.choice_of(config, name), parts.plugins.settings.get(plugin_of(name))
    values, errors = (typed.values, typed.errors) if typed else (None, {})
    fares, on = standing.seen_of(config, name, seen), name in standing.asked(config, port)
    return page(
        "admin/provider.html",
        name=name, label=provider_words.label(name), kind=provider_words.ports()[port], action=f"{_HERE}/{name}",
        badge=standing.badge(config, name, seen, on=on),
        version=standing.version(config, port), errors=errors, form_errors=len(errors),
        conflict=typed.conflict if typed else "",
        switch=None if standing.fixed(config, name) else {
            "label": _("Use it for new payments") if port == "payments" else _("Use it"),
            "checked": values.get("on") == "on" if values is not None else choice.on,
            "why_not": _why_not(name), "note": _switching(config, port, name),
        },
        always=_fixed_words(port) if standing.fixed(config, name) else "",
        accounts=_accounts(config, name, values), own=bool(model) and not spec.oauth,
        oauth=standing.account(config, name) if spec.oauth else "", has_account=standing.has_account(name),
        controls=provider_form.controls(model, choice.settings, values, errors) if model and not spec.oauth else [],
        prefix=provider_form.PREFIX, secret=provider_form.SECRET, drop=provider_form.DROP,
        seconds={"value": values.get("seconds", "") if values is not None else f"{choice.seconds:g}" if choice.seconds else "",
                 "longest": f"{parts.settings.provider_seconds:g}", "shortest": f"{SHORTEST:g}"},
        lacks=_lacking(config, name) if on and not typed else "",
        with_money=ngettext("%(num)s payment or saved card is with this account.",
                            "%(num)s payments or saved cards are with this account.", with_money) if with_money else "",
        removable=bool(choice.settings) and not with_money,
        another=_another(config, name), testable=_why_not(name) == "",
        tried=_tried(name, tried) if tried else None, test_note=_test_note(port),
        stats=_stats(port, fares, _budget(config, name)), line=provider_words.line(fares),
        failures=[provider_words.failure(name, one) | {"at": shown.time(one.at, zone)} for one in fares.failures],
        changes=[
            {"at": shown.time(one.at, zone), "by": people.get(one.by, _("Somebody")),
             "what": _("Account removed") if one.removed else ", ".join(provider_words.field(name, each) for each in one.fields)}
            for one in changes[:10]
        ],
    ), status  # fmt: skip


def _refuse_strangers(config: TenantConfig, name: str) -> None:
    """A further account is there once it is in the record, or is the next one to be added."""
    known = name == plugin_of(name) or any(each.name == name for each in config.providers.get(standing.spec_of(name).port, ()))
    if not known and (not standing.has_account(name) or _next_account(config, name) != name):
        raise NotFound("There is no such provider.")


def _next_account(config: TenantConfig, name: str) -> str:
    try:
        return choosing.another(config, standing.spec_of(name).port, plugin_of(name))
    except Conflict:
        return ""


def _another(config: TenantConfig, name: str) -> str:
    """Where one more account is set up: once this one is, for what has accounts."""
    if not (standing.has_account(name) and standing.choice_of(config, name).settings) or standing.spec_of(name).oauth:
        return ""
    free = _next_account(config, name)
    return f"{_HERE}/{free}" if free else ""


def _why_not(name: str) -> str:
    """Why it cannot be switched on here; empty where it can."""
    parts, spec = platform.current(), standing.spec_of(name)
    if spec.live and parts.settings.demo:
        return _("In the demo nothing talks to the outside world. What you fill in is kept, and it stays off.")
    if spec.oauth and plugin_of(name) not in connecting.offered():
        return _("The operator of the platform has set up no application there yet.")
    return "" if standing.offers(name) else _("It moves no money, and others do here.")


def _switching(config: TenantConfig, port: str, name: str) -> str:
    """What switching it on does to the others."""
    if port != "payments":
        return ""
    [now] = standing.asked(config, port)
    if now == name:
        usual = platform.current().providers.usual("payments")
        return _("Switched off, new payments go to %(name)s.", name=provider_words.label(usual))
    return _("It takes the place of %(name)s, where all that was begun stays.", name=provider_words.label(now))


def _fixed_words(port: str) -> str:
    return {
        "payments": _("New payments go here as long as no other provider is switched on for them."),
        "notifications": _("It brings mails wherever no other provider does."),
    }.get(port, _("It is always there, and asked last."))


def _accounts(config: TenantConfig, name: str, values: Mapping[str, str] | None) -> dict[str, Any] | None:
    """The choice between the platform's account and an own one, where there are both."""
    if not (platform.current().providers.has_platform_account(name) and standing.has_account(name)):
        return None
    now = "own" if standing.choice_of(config, name).settings else "platform"
    return {
        "value": values.get("account", now) if values is not None else now,
        "items": [
            {"value": "platform", "label": _("The platform's account"), "note": _("Nothing to fill in.")},
            {"value": "own", "label": _("An account of our own"),
             "note": _("With the settings below, and nothing of the platform's.")},
        ],
    }  # fmt: skip


def _lacking(config: TenantConfig, name: str) -> str:
    error = standing.lacks(config, name)
    return provider_words.wrong(name, Kind.MISCONFIGURED, error.field) if error else ""


def _test_note(port: str) -> str:
    if port == "notifications":
        return _("A mail goes to your own address. What would cost money or reach somebody else is not sent.")
    return _("Asks with what is kept now. It costs nothing and changes nothing.")


def _stats(port: str, fares: Seen, budget: Any) -> list[dict[str, Any]]:
    found = [
        {"label": _("Calls"), "value": fares.calls, "note": _("%(num)s failed", num=fares.failed)},
        {"label": _("Half within"), "value": _within(fares, 0.5),
         "note": _("95%% within %(time)s", time=_within(fares, 0.95))},
        {"label": _("Not asked"), "value": fares.refused, "note": _("left alone, or no place free")},
    ]  # fmt: skip
    if fares.month or budget is not None:
        today = _("%(cost)s in 24 hours", cost=provider_words.cost(port, fares.cost))
        found.append({
            "label": _("Cost this month"), "value": provider_words.cost(port, fares.month),
            "note": today if budget is None else _("of %(budget)s", budget=budget),
        })  # fmt: skip
    return found


def _budget(config: TenantConfig, name: str) -> Any:
    """What may be spent in a month, where the plugin has such a setting; None where it has none."""
    model = platform.current().plugins.settings.get(plugin_of(name))
    if model is None or "monthly_budget" not in model.model_fields:
        return None
    return standing.choice_of(config, name).settings.get("monthly_budget", model.model_fields["monthly_budget"].default)


def _within(fares: Seen, share: float) -> str:
    found = fares.within(share)
    return provider_words.milliseconds(found) if found else "–"


# Changing it ---------------------------------------------------------------------------------------------------------


@blueprint.post("/providers/<name>")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def change_provider(name: str) -> ResponseReturnValue:
    """Keep what was filled in; it counts from the next request on, in every process."""
    config, spec = here().tenant, standing.spec_of(name)
    _refuse_strangers(config, name)
    wanted, errors = _wanted(config, spec, name)
    if wanted is None:
        return _provider(name, Typed(request.form, errors), status=422)
    try:
        changed = run(choosing.set_up, spec.port, name, wanted, standing.known(), request.form.get("version", ""))
    except Invalid as error:
        return _provider(name, Typed(request.form, {error.field or provider_form.WHOLE: said(error)}), status=422)
    except Conflict as error:
        return _provider(name, Typed(request.form, {}, said(error)), status=409)
    done(_("Kept. It counts from the next request on.") if changed else _("Nothing has changed."))
    return redirect(f"{_HERE}/{name}", 303)


def _wanted(config: TenantConfig, spec: ProviderSpec, name: str) -> tuple[Wanted | None, dict[str, str]]:
    """What was filled in, or a sentence for each field to mend."""
    form, choice = request.form, standing.choice_of(config, name)
    model = platform.current().plugins.settings.get(plugin_of(name))
    on = choice.on if standing.fixed(config, name) else form.get("on") == "on"
    seconds, errors = _seconds(form.get("seconds", ""))
    wanted = Wanted(on, seconds=seconds)
    if model and not spec.oauth and (form.get("account") == "own" or _accounts(config, name, None) is None):
        read = provider_form.read(model, form, choice.settings, _opened(config, name))
        errors |= dict(read.errors) or _inside(read)
        wanted = replace(wanted, settings=read.settings, secrets=read.secrets, kept=read.kept)
    return (None if errors else wanted), errors


def _seconds(text: str) -> tuple[float | None, dict[str, str]]:
    longest = platform.current().settings.provider_seconds
    try:
        seconds = float(text.strip().replace(",", ".")) if text.strip() else None
    except ValueError:
        seconds = 0.0
    if seconds is None or SHORTEST <= seconds <= longest:
        return seconds, {}
    return None, {"seconds": _("Choose a number between %(least)s and %(most)s.", least=f"{SHORTEST:g}", most=f"{longest:g}")}


def _opened(config: TenantConfig, name: str) -> dict[str, Any]:
    """What is kept, with secrets in the clear, for the model to check; one that cannot be opened has to be written again."""
    try:
        return platform.current().providers.values(config, name)
    except Misconfigured:
        return {}


def _inside(read: provider_form.Read) -> dict[str, str]:
    """Addresses by which a tenant would make the platform call its own network."""
    if platform.current().settings.private_providers:
        return {}
    sentence = _("This address leads into the platform's own network. Please give one that everybody can reach.")
    values = {**read.settings, **read.secrets}
    return {
        provider_form.PREFIX + field: sentence for field, text in values.items() if isinstance(text, str) and leads_inside(text)
    }


@blueprint.post("/providers/<name>/remove")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def remove_provider(name: str) -> ResponseReturnValue:
    """Forget the account with its keys."""
    spec = standing.spec_of(name)
    try:
        run(choosing.remove, spec.port, name, request.form.get("version", ""))
    except Conflict as error:
        return _provider(name, Typed({}, {}, said(error)), status=409)
    done(_("Removed, with its keys."))
    return redirect(_HERE, 303)


@blueprint.post("/providers/<name>/test")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def test_provider(name: str) -> ResponseReturnValue:
    """Ask it, with what is kept now."""
    config, spec, me = here().tenant, standing.spec_of(name), identity.required()
    _refuse_strangers(config, name)
    parts = platform.current()
    parts.throttle.spend((throttle.PROVIDER_TRIED, str(config.id)))
    reader = Reader(
        me.name, me.mail, _("Test of the mails of %(portal)s", portal=config.name),
        _("You asked for this test on the page of the portal's providers. Mails arrive: nothing is left to do."),
    )  # fmt: skip
    return _provider(name, tried=try_out(parts.providers, config, spec.port, name, reader))


def _tried(name: str, tried: Tried) -> dict[str, str]:
    took = provider_words.milliseconds(tried.milliseconds)
    if tried.nobody:
        return {"kind": "info", "title": _("Nothing to ask yet."), "text": _("Nobody has connected a calendar there.")}
    if tried.kind is None:
        text = _("A mail is on its way to you.") if tried.sent else ""
        return {"kind": "success", "title": _("It works: answered within %(time)s.", time=took), "text": text}
    if tried.reason:
        return {"kind": "danger", "title": _("It refused."), "text": _("Its reason: %(reason)s.", reason=tried.reason)}
    wait = _("Try again in %(num)s seconds.", num=round(tried.after)) if tried.after >= 1 else ""
    return {"kind": "danger", "title": provider_words.wrong(name, tried.kind, tried.field), "text": wait}
