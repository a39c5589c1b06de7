"""Which provider serves a tenant: the tenant's record says who, in which order, with which settings."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, overload
from uuid import UUID

from pydantic import BaseModel, SecretStr, ValidationError

from fxo.core.clock import system_now
from fxo.core.errors import Misconfigured
from fxo.core.hookspecs import PortName
from fxo.core.plugins.calls import Guarded, checked, is_full, is_resting, try_now
from fxo.core.plugins.context import Connections, NoConnections, ProviderContext, StoredState, Urls
from fxo.core.plugins.faring import Faring
from fxo.core.plugins.manager import Plugins
from fxo.core.plugins.resilience import Around, Breaker, Bulkhead, Limits
from fxo.core.scope import ProviderChoice, TenantConfig
from fxo.settings import Settings

if TYPE_CHECKING:
    from fxo.core.calendars.port import CalendarProvider
    from fxo.core.matching.port import MatchingProvider
    from fxo.core.notifications.port import NotificationProvider
    from fxo.core.payments.port import PaymentProvider

T = TypeVar("T")
Unseal = Callable[[UUID, str, str, str], str | None]
"""Opens a sealed secret: tenant, plugin, field, what is stored; None where it cannot be opened."""
Connect = Callable[["Providers", UUID, str], Connections]
"""What people of the network have allowed a plugin to do, as one tenant sees it: tenant, plugin."""


class Providers:
    """The providers of all tenants in this process, made at first use and kept as long as their settings stay the same.

    `platform` holds settings by plugin for tenants that have given none of their own. The two are never mixed, so that the
    platform's password cannot be sent to a server that a tenant has named. `usual` names the provider of a port for tenants that
    have chosen none, where it is not the embedded one.
    """

    def __init__(
        self,
        plugins: Plugins,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        around: Around,
        unseal: Unseal = lambda tenant_id, plugin, field, stored: stored,
        platform: Mapping[str, Mapping[str, Any]] | None = None,
        connections: Connect | None = None,
        usual: Mapping[str, str] | None = None,
        ticks: Callable[[], float] = time.monotonic,
        faring: Faring | None = None,
    ) -> None:
        self.plugins = plugins
        self.seconds = settings.provider_seconds
        self._settings = settings
        self._clock = clock
        self._unseal = unseal
        self._platform = platform or {}
        self._connections = connections
        self._usual = usual or {}
        self._ticks = ticks
        self.faring = faring
        self.bulkheads = {name: Bulkhead(name, around) for name in plugins.names}
        self._around = around
        self._made: dict[tuple[UUID, str, str], tuple[object, object]] = {}
        self._left: list[tuple[float, ProviderContext]] = []
        self._lock = threading.Lock()

    @overload
    def chain(self, config: TenantConfig, port: Literal["matching"]) -> list[tuple[str, MatchingProvider]]: ...
    @overload
    def chain(self, config: TenantConfig, port: Literal["calendars"]) -> list[tuple[str, CalendarProvider]]: ...
    @overload
    def chain(self, config: TenantConfig, port: Literal["payments"]) -> list[tuple[str, PaymentProvider]]: ...
    @overload
    def chain(self, config: TenantConfig, port: Literal["notifications"]) -> list[tuple[str, NotificationProvider]]: ...
    def chain(self, config: TenantConfig, port: PortName) -> list[tuple[str, Any]]:
        """The tenant's providers for the port in the order in which they are asked, each with its name and its guard.

        A tenant without a choice has the usual provider, which is the embedded one or the operator's own account. Matching and
        calendars have the embedded one last in any case. For payments the chain has one link: they never fail over.
        """
        rules = self.plugins.ports[port]
        names = [choice.name for choice in config.chosen(port)] or [self.usual(port)]
        if not rules.fails_over:
            names = names[:1]
        if rules.local_last and rules.local not in names:
            names.append(rules.local)
        return [(name, self._guard(config, port, name)) for name in names]

    @overload
    def named(self, config: TenantConfig, port: Literal["matching"], name: str) -> MatchingProvider: ...
    @overload
    def named(self, config: TenantConfig, port: Literal["calendars"], name: str) -> CalendarProvider: ...
    @overload
    def named(self, config: TenantConfig, port: Literal["payments"], name: str) -> PaymentProvider: ...
    @overload
    def named(self, config: TenantConfig, port: Literal["notifications"], name: str) -> NotificationProvider: ...
    def named(self, config: TenantConfig, port: PortName, name: str) -> Any:
        """The provider that something was begun with, whatever the tenant has chosen since; `Misconfigured` for a stranger."""
        self._check_known(port, name)
        return self._guard(config, port, name)

    def usual(self, port: PortName) -> str:
        """The provider of tenants that have chosen none."""
        return self._usual.get(port, self.plugins.ports[port].local)

    def has_platform_account(self, name: str) -> bool:
        """Whether the platform has settings for this provider, for tenants that have none of their own."""
        return any(self._platform.get(name, {}).values())

    def values(self, config: TenantConfig, name: str) -> dict[str, Any]:
        """The tenant's own settings as its form takes them, with secrets opened: for checking a change, and never for a page."""
        model = self.plugins.settings[plugin_of(name)]
        return self._opened(config, name, model, _choice(config, name).settings)

    def check(self, config: TenantConfig, port: PortName, name: str) -> bool:
        """Ask the plugin's own check whether these settings work; False where it has none. Fails as a call of the port does."""
        self._check_known(port, name)
        ask, guard = self.plugins.specs[plugin_of(name)].check, self._guard(config, port, name)
        if ask is None:
            return False
        checked(guard, lambda: ask(self.context(config, name)))
        return True

    def try_now(self, config: TenantConfig, port: PortName, name: str) -> None:
        """Let the next call of this provider through, though it may be left alone just now."""
        try_now(self._guard(config, port, name))

    def context(self, config: TenantConfig, plugin: str) -> ProviderContext:
        """What the plugin gets for this tenant. Raises `Misconfigured` where the settings do not fit its model."""
        return self._kept("context", config, plugin, lambda: self._context(config, plugin))

    def _context(self, config: TenantConfig, plugin: str) -> ProviderContext:
        logger = logging.LoggerAdapter(logging.getLogger(f"fxo.plugins.{plugin}"), {"tenant": config.slug, "plugin": plugin})
        url, host = self._settings.url, self._settings.host
        return ProviderContext(
            tenant_id=config.id,
            tenant_slug=config.slug,
            plugin=plugin,
            settings=self._valid_settings(config, plugin),
            clock=self._clock,
            system_clock=system_now,
            urls=Urls(
                portal=config.portal_url or url(host(config.slug), ""),
                hooks=url(host("hooks"), f"/{plugin}"),
                meet=lambda token: url(host("meet"), f"/{token}"),
            ),
            state=StoredState(config.id, plugin),
            log=logger,
            connections=self._connected(config, plugin),
            seconds=self.seconds,
        )

    def _connected(self, config: TenantConfig, plugin: str) -> Connections:
        spec = self.plugins.specs.get(plugin_of(plugin))
        return self._connections(self, config.id, plugin) if spec and spec.oauth and self._connections else NoConnections()

    def application(self, plugin: str) -> Any:
        """The settings of the application that people allow: the platform's own, whatever a tenant has filled in.

        Raises `Misconfigured` where the plugin is not loaded or its settings do not fit.
        """
        model = self.plugins.settings.get(plugin)
        if model is None:
            raise Misconfigured(f"{plugin} has no settings")
        return self._validated(plugin, model, self._platform.get(plugin, {}))

    def close(self) -> None:
        """End the connections to companies outside, at the end of an app; what is asked for afterwards is made anew."""
        if self.faring:
            self.faring.close()
        with self._lock:
            for _, made in self._made.values():
                if isinstance(made, ProviderContext):
                    made.close()
            for _, left in self._left:
                left.close()
            self._made.clear()
            self._left.clear()

    def _leave(self, kept: tuple[object, object] | None) -> None:
        """Its settings are others now: its connections end once no call can be under way any more, with the next change."""
        now = time.monotonic()
        over = [left for since, left in self._left if now - since > 2 * self.seconds]
        self._left = self._left[len(over) :]
        for left in over:
            left.close()
        if kept and isinstance(kept[1], ProviderContext):
            self._left.append((now, kept[1]))

    def resting(self, config: TenantConfig, port: PortName, name: str) -> bool:
        """Whether this provider has failed several times and is left alone for a while, as far as this process knows."""
        return is_resting(self._guard(config, port, name))

    def free(self, config: TenantConfig, port: PortName, name: str) -> bool:
        """Whether a call would be made just now: the breaker is closed and a place is free, as far as this process knows."""
        guard = self._guard(config, port, name)
        return not (is_resting(guard) or is_full(guard))

    def live(self, config: TenantConfig) -> list[str]:
        """The names of this tenant's providers that talk to the outside world; the demo starts with none."""
        chosen = [choice.name for choices in config.providers.values() for choice in choices if choice.on]
        return [name for name in chosen if (spec := self.plugins.specs.get(plugin_of(name))) and spec.live]

    def _check_known(self, port: PortName, name: str) -> None:
        spec = self.plugins.specs.get(plugin_of(name))
        if spec is None or spec.port != port:
            known = ", ".join(sorted(each.name for each in self.plugins.specs.values() if each.port == port)) or "none"
            raise Misconfigured(f"no provider for {port} is called {name!r}; loaded: {known}", field=port)
        if self._settings.demo and spec.live:
            raise Misconfigured(f"{name} talks to the outside world, and the demo's clock can be moved", field=port)

    def _guard(self, config: TenantConfig, port: PortName, name: str) -> Guarded:
        def make() -> Any:
            self._check_known(port, name)
            return self.plugins.specs[plugin_of(name)].factory(self.context(config, name))

        def guard() -> Guarded:
            bulkhead = self._bulkhead(name)
            breaker = Breaker(self._ticks)
            rules = self.plugins.ports[port]
            if rules.local_last and name == rules.local:
                rules = replace(rules, seconds={})  # nobody stands in for the last one, and its first answer loads what it needs
            limits = Limits(self.seconds, rules, _choice(config, name).seconds)
            fares = self.faring.of(config.id, port, name) if self.faring else None
            return Guarded(name, rules, make, bulkhead=bulkhead, breaker=breaker, limits=limits, fares=fares)

        return self._kept(port, config, name, guard)

    def _bulkhead(self, name: str) -> Bulkhead:
        """One for each instance of a plugin; a stranger gets one that nobody uses, and is refused behind it."""
        if plugin_of(name) not in self.bulkheads:
            return Bulkhead(name, nullcontext)
        return self.bulkheads.setdefault(name, Bulkhead(name, self._around))

    def _kept(self, what: str, config: TenantConfig, plugin: str, make: Callable[[], T]) -> T:
        """The same thing as before, for as long as the tenant's record says the same."""
        key, made_from = (config.id, what, plugin), (_choice(config, plugin), config.slug, config.portal_url)
        if key not in self._made or self._made[key][0] != made_from:
            made = make()
            with self._lock:
                if key not in self._made or self._made[key][0] != made_from:
                    self._leave(self._made.get(key))
                    self._made[key] = made_from, made
        return cast(T, self._made[key][1])

    def _valid_settings(self, config: TenantConfig, plugin: str) -> Any:
        model = self.plugins.settings.get(plugin_of(plugin))
        if model is None:
            return None
        spec = self.plugins.specs.get(plugin_of(plugin))
        if spec and spec.oauth:
            return self.application(plugin)
        own = _choice(config, plugin).settings
        values = self._opened(config, plugin, model, own) if own else self._platform.get(plugin, {})
        return self._validated(plugin, model, values)

    def _opened(self, config: TenantConfig, name: str, model: type[BaseModel], own: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(own)
        for each in secret_fields(model):
            if values.get(each):
                values[each] = self._unseal(config.id, name, each, values[each])
                if values[each] is None:
                    raise Misconfigured(f"{name}: {each} cannot be opened and has to be written again", field=each)
        return values

    def _validated(self, plugin: str, model: type[BaseModel], values: Mapping[str, Any]) -> Any:
        try:
            return model.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field_name = ".".join(str(part) for part in first["loc"])
            raise Misconfigured(f"{plugin}: {field_name or 'the settings'}: {first['msg']}", field=field_name) from None


def plugin_of(name: str) -> str:
    """The plugin behind a provider's name in a tenant's record: `matching_acme`, and `matching_acme:second` for one more with
    settings of its own.
    """
    return name.partition(":")[0]


def secret_fields(model: type[BaseModel]) -> list[str]:
    """The fields of a settings model that are stored sealed."""
    return [name for name, field in model.model_fields.items() if SecretStr in (field.annotation, *get_args(field.annotation))]


def _choice(config: TenantConfig, plugin: str) -> ProviderChoice:
    chosen = (choice for choices in config.providers.values() for choice in choices if choice.name == plugin)
    return next(chosen, ProviderChoice(plugin))
