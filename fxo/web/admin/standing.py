"""How a portal's providers stand: which are asked, which could be, whose account is used, whether they can work at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, cast

from fxo import platform
from fxo.core.errors import Misconfigured, NotFound
from fxo.core.hookspecs import PortName, ProviderSpec
from fxo.core.plugins import ProviderContext, plugin_of, secret_fields
from fxo.core.plugins.fared import Seen
from fxo.core.scope import ProviderChoice, TenantConfig
from fxo.tenants import choosing
from fxo.tenants.choosing import PLUGINS
from fxo.web import connecting, provider_words
from fxo.web.language import _


def asked(config: TenantConfig, port: str) -> list[str]:
    """The providers that are asked, in their order, with those that stand in where nobody was chosen."""
    parts = platform.current()
    if port == PLUGINS:
        return listeners()
    rules = parts.plugins.ports[cast(PortName, port)]
    names = [choice.name for choice in config.chosen(port)] or [parts.providers.usual(rules.name)]
    if always(rules.local) and rules.local not in names:
        names.append(rules.local)
    return names if rules.fails_over else names[:1]


def listeners() -> list[str]:
    """The plugins without a provider that have settings."""
    plugins = platform.current().plugins
    return sorted(name for name in plugins.settings if name not in plugins.specs)


def always(name: str) -> bool:
    """Whether it is asked in any case, once the others cannot or none of them serves the channel."""
    if spec_of(name).port == PLUGINS:
        return True
    rules = platform.current().plugins.ports[spec_of(name).port]
    return rules.fails_over and name == rules.local


def fixed(config: TenantConfig, name: str) -> bool:
    """Whether it cannot be switched off: it is there in any case, or takes payments since no other does."""
    usual = platform.current().providers.usual("payments")
    return always(name) or (name == usual and asked(config, "payments") == [usual])


def offers(name: str) -> bool:
    """Whether a tenant may switch it on: the embedded payments move no money, and are there only where nobody has better."""
    parts, spec = platform.current(), spec_of(name)
    if spec.oauth:
        return plugin_of(name) in connecting.offered() or parts.settings.demo
    return not moves_no_money(name) or name == parts.providers.usual("payments")


def spec_of(name: str) -> ProviderSpec:
    """The loaded plugin behind that name, one without a provider as if it had one; `NotFound` for a stranger."""
    spec = platform.current().plugins.specs.get(plugin_of(name)) if choosing.is_name(name) else None
    if spec is None and name in listeners():
        return ProviderSpec(name, cast(PortName, PLUGINS), _provides_nothing)
    if spec is None:
        raise NotFound("There is no such provider.")
    return spec


def _provides_nothing(context: ProviderContext) -> NoReturn:
    raise Misconfigured(f"{context.plugin} has no provider")


def known() -> list[str]:
    """The plugins that may be switched on here."""
    parts = platform.current()
    return [name for name, spec in parts.plugins.specs.items() if offers(name) and not (spec.live and parts.settings.demo)]


def choice_of(config: TenantConfig, name: str) -> ProviderChoice:
    """What the record says of it; of what is not in it, that it is off."""
    found = (choice for choice in config.providers.get(spec_of(name).port, ()) if choice.name == name)
    return next(found, ProviderChoice(name, on=False))


def seen_of(config: TenantConfig, name: str, seen: Mapping[str, Seen]) -> Seen:
    """How it has fared; of what was never asked, that."""
    return seen.get(name) or Seen(config.id, spec_of(name).port, name)


def badge(config: TenantConfig, name: str, seen: Mapping[str, Seen], *, on: bool) -> dict[str, str]:
    """How it stands, at a glance."""
    if not on:
        return {"text": _("Off"), "kind": ""}
    if spec_of(name).port == PLUGINS and not choice_of(config, name).settings:
        return {"text": _("Not set up yet"), "kind": ""}
    if lacks(config, name):
        return {"text": _("Needs settings"), "kind": "danger"}
    if spec_of(name).port == PLUGINS:
        return {"text": _("Set up"), "kind": "success"}
    return provider_words.badge(seen_of(config, name, seen).state)


def lacks(config: TenantConfig, name: str) -> Misconfigured | None:
    """Why it cannot work as it is set up; None where it can."""
    try:
        platform.current().providers.context(config, name)
    except Misconfigured as error:
        return error
    return None


def account(config: TenantConfig, name: str) -> str:
    """Whose account is used."""
    parts, spec = platform.current(), spec_of(name)
    if spec.oauth:
        return (
            _("The platform's application is used")
            if name in connecting.offered()
            else _("The platform has no application there")
        )
    if choice_of(config, name).settings:
        return _("Your own account") if has_account(name) else _("Your own settings")
    if spec.port == PLUGINS:
        return _("Hears of bookings")
    if parts.providers.has_platform_account(name) and has_account(name):
        return _("The platform's account is used")
    return _("Built in") if not spec.live else _("Not set up yet")


def has_account(name: str) -> bool:
    """Whether it is a company's, where one has an account: it keeps a secret, and is not the embedded one for payments."""
    model = platform.current().plugins.settings.get(plugin_of(name))
    return bool(model and secret_fields(model)) and not moves_no_money(name) and spec_of(name).port != PLUGINS


def moves_no_money(name: str) -> bool:
    """Whether it is the embedded provider of payments."""
    return plugin_of(name) == platform.current().plugins.ports["payments"].local


def version(config: TenantConfig, port: str) -> str:
    """What a form carries, so that nobody undoes what they have not seen."""
    return choosing.version_of(platform.current().store.keyring, config.id, config.providers.get(port, ()))
