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
from fxo.core.plugins.resilience import SHORTEST
from fxo.core.scope import Permission, TenantConfig
from fxo.tenants import choosing, membership, throttle
from fxo.tenants.choosing import PLUGINS, Wanted
from fxo.tenants.outside import leads_inside
from fxo.tenants.trying import Reader, Tried, try_out
from fxo.web import forms, identity, provider_words, shown
from fxo.web.admin import provider_facts as facts
from fxo.web.admin import provider_form, standing
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _, said
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
    stays = bool(with_money) and not choice.settings and parts.providers.has_platform_account(name)
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
            "why_not": facts.why_not(name), "note": facts.switching(config, port, name),
        },
        always=facts.fixed_words(port) if standing.fixed(config, name) else "",
        accounts=None if stays else facts.accounts(config, name, values), own=bool(model) and not spec.oauth,
        oauth=standing.account(config, name) if spec.oauth else "", has_account=standing.has_account(name),
        controls=provider_form.controls(model, choice.settings, values, errors) if model and not spec.oauth and not stays else [],
        hook=facts.hook(config, name), prefix=provider_form.PREFIX, secret=provider_form.SECRET, drop=provider_form.DROP,
        limited=_is_limited(name),
        seconds={"value": values.get("seconds", "") if values is not None else f"{choice.seconds:g}" if choice.seconds else "",
                 "longest": f"{parts.settings.provider_seconds:g}", "shortest": f"{SHORTEST:g}"},
        lacks=facts.lacking(config, name) if on and not typed else "",
        with_money=facts.with_money(config, name, with_money),
        removable=bool(choice.settings) and not with_money,
        another=facts.another(config, name), testable=port != PLUGINS and facts.why_not(name) == "",
        tried=facts.tried(name, tried) if tried else None, test_note=facts.test_note(name),
        stats=facts.stats(port, fares, facts.budget(config, name)) if port != PLUGINS else [], line=provider_words.line(fares),
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
    if not known and (not standing.has_account(name) or facts.next_account(config, name) != name):
        raise NotFound("There is no such provider.")


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
    seconds, errors = _seconds(form.get("seconds", "")) if _is_limited(name) else (None, {})
    wanted = Wanted(on, seconds=seconds)
    if model and not spec.oauth and (form.get("account") == "own" or facts.accounts(config, name, None) is None):
        read = provider_form.read(model, form, choice.settings, _opened(config, name))
        errors |= dict(read.errors) or _inside(read)
        wanted = replace(wanted, settings=read.settings, secrets=read.secrets, kept=read.kept)
    return (None if errors else wanted), errors


def _is_limited(name: str) -> bool:
    """Whether the page asks for a time limit: the plugin has none among its own settings."""
    model = platform.current().plugins.settings.get(plugin_of(name))
    return standing.spec_of(name).port != PLUGINS and (model is None or "seconds" not in model.model_fields)


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
    if spec.port == PLUGINS:
        raise NotFound("There is nothing to try.")
    parts = platform.current()
    parts.throttle.spend((throttle.PROVIDER_TRIED, str(config.id)))
    reader = Reader(
        me.name, me.mail, _("Test of the mails of %(portal)s", portal=config.name),
        _("You asked for this test on the page of the portal's providers. Mails arrive: nothing is left to do."),
    )  # fmt: skip
    return _provider(name, tried=try_out(parts.providers, config, spec.port, name, reader))
