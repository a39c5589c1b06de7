"""What the page of one provider says besides its form: what a switch does, whose account it is, how it fares, how a test went."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fxo import platform
from fxo.core.errors import Conflict
from fxo.core.plugins import plugin_of
from fxo.core.plugins.fared import Seen
from fxo.core.plugins.faring import Kind
from fxo.core.scope import TenantConfig
from fxo.tenants import choosing
from fxo.tenants.trying import Tried
from fxo.web import connecting, provider_words
from fxo.web.admin import standing
from fxo.web.language import _, ngettext

_HERE = "/admin/providers"


def next_account(config: TenantConfig, name: str) -> str:
    try:
        return choosing.another(config, standing.spec_of(name).port, plugin_of(name))
    except Conflict:
        return ""


def another(config: TenantConfig, name: str) -> str:
    """Where one more account is set up: once there is one, the tenant's or the platform's, at what has accounts."""
    one = standing.choice_of(config, name).settings or platform.current().providers.has_platform_account(name)
    if not (one and standing.has_account(name)) or standing.spec_of(name).oauth:
        return ""
    free = next_account(config, name)
    return f"{_HERE}/{free}" if free else ""


def with_money(config: TenantConfig, name: str, number: int) -> str:
    """What payments with this provider mean for its keys; empty where there are none."""
    if not number:
        return ""
    if not standing.choice_of(config, name).settings:
        return ngettext(
            "%(num)s payment or saved card is with the platform's account, and stays there. An own account is a further one.",
            "%(num)s payments or saved cards are with the platform's account, and stay there. An own account is a further one.",
            number,
        )
    return ngettext(
        "%(num)s payment or saved card is with this account: new keys have to be of the same one.",
        "%(num)s payments or saved cards are with this account: new keys have to be of the same one.",
        number,
    )


def why_not(name: str) -> str:
    """Why it cannot be switched on here; empty where it can."""
    parts, spec = platform.current(), standing.spec_of(name)
    if spec.live and parts.settings.demo:
        return _("In the demo nothing talks to the outside world. What you fill in is kept, and it stays off.")
    if spec.oauth and plugin_of(name) not in connecting.offered():
        return _("The operator of the platform has set up no application there yet.")
    return "" if standing.offers(name) else _("It moves no money, and others do here.")


def switching(config: TenantConfig, port: str, name: str) -> str:
    """What switching it on does: to the others, or with what people have written."""
    if port == "matching" and standing.spec_of(name).live:
        return _("Briefs and the experts' profiles are then sent to a company outside, which ranks them.")
    if port != "payments":
        return ""
    [now] = standing.asked(config, port)
    if now == name:
        usual = platform.current().providers.usual("payments")
        return _("Switched off, new payments go to %(name)s.", name=provider_words.label(usual))
    return _("It takes the place of %(name)s, where all that was begun stays.", name=provider_words.label(now))


def fixed_words(port: str) -> str:
    """Why it cannot be switched off."""
    return {
        "matching": _("It is always there: its list is shown at once, and stands where no other answers."),
        "calendars": _("It is always there, for experts who have connected nothing else."),
        "payments": _("New payments go here as long as no other provider is switched on for them."),
        "notifications": _("It brings mails wherever no other provider does."),
        choosing.PLUGINS: _("It hears of bookings and sessions; what it does with that is in its settings."),
    }[port]


def hook(config: TenantConfig, name: str) -> str:
    """Where what the company sends about an own account is received, where it may send something."""
    if standing.spec_of(name).port not in ("payments", "notifications") or not standing.has_account(name):
        return ""
    settings = platform.current().settings
    return settings.url(settings.host("hooks"), f"/{name}/{config.slug}")


def accounts(config: TenantConfig, name: str, values: Mapping[str, str] | None) -> dict[str, Any] | None:
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


def lacking(config: TenantConfig, name: str) -> str:
    error = standing.lacks(config, name)
    return provider_words.wrong(name, Kind.MISCONFIGURED, error.field) if error else ""


def test_note(name: str) -> str:
    spec = standing.spec_of(name)
    if spec.port == "notifications" and spec.check is None:
        return _("Where it brings mails, one goes to your own address. Nothing else is sent.")
    return _("Asks with what is kept now. It costs nothing and changes nothing.")


def stats(port: str, fares: Seen, budget: Any) -> list[dict[str, Any]]:
    found = [
        {"label": _("Calls"), "value": fares.calls, "note": _("%(num)s failed", num=fares.failed)},
        {"label": _("Half within"), "value": _within(fares, 0.5),
         "note": _("95%% within %(time)s", time=_within(fares, 0.95)) if fares.calls else ""},
        {"label": _("Not asked"), "value": fares.refused, "note": _("left alone, or no place free")},
    ]  # fmt: skip
    if fares.month or budget is not None:
        today = _("%(cost)s in 24 hours", cost=provider_words.cost(port, fares.cost))
        found.append({
            "label": _("Cost this month"), "value": provider_words.cost(port, fares.month),
            "note": today if budget is None else _("of %(budget)s", budget=_amount(port, budget)),
        })  # fmt: skip
    return found


def _amount(port: str, budget: Any) -> str:
    return provider_words.cost(port, int(Decimal(budget) * 1_000_000))


def budget(config: TenantConfig, name: str) -> Any:
    """What may be spent in a month, where the plugin has such a setting; None where it has none."""
    model = platform.current().plugins.settings.get(plugin_of(name))
    if model is None or "monthly_budget" not in model.model_fields:
        return None
    return standing.choice_of(config, name).settings.get("monthly_budget", model.model_fields["monthly_budget"].default)


def _within(fares: Seen, share: float) -> str:
    found = fares.within(share)
    return provider_words.milliseconds(found) if found else "–"


def tried(name: str, tried: Tried) -> dict[str, str]:
    took = provider_words.milliseconds(tried.milliseconds)
    if tried.nobody:
        return {"kind": "info", "title": _("Nothing to ask yet."), "text": _("Nobody has connected a calendar there.")}
    if tried.unsent:
        return {"kind": "info", "title": _("These settings fit."), "text": _("Whether it answers shows with the first message.")}
    if tried.kind is None:
        text = _("A mail is on its way to you.") if tried.sent else ""
        return {"kind": "success", "title": _("It works: answered within %(time)s.", time=took), "text": text}
    if tried.reason:
        return {"kind": "danger", "title": _("It refused."), "text": _("Its reason: %(reason)s.", reason=tried.reason)}
    wait = _("Try again in %(num)s seconds.", num=round(tried.after)) if tried.after >= 1 else ""
    return {"kind": "danger", "title": provider_words.wrong(name, tried.kind, tried.field), "text": wait}
