"""Trying a provider as it is set up: whether it answers, without spending money and without reaching a stranger."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from fxo.core.calendars.port import CalendarProvider
from fxo.core.errors import Declined, Misconfigured, NotConnected, ProviderError
from fxo.core.hookspecs import PortName
from fxo.core.ids import new_id
from fxo.core.matching.port import Brief, MatchingProvider, PartnerRecord
from fxo.core.notifications.port import Channel, Message, NotificationProvider
from fxo.core.payments.port import PaymentProvider
from fxo.core.plugins import Providers, plugin_of
from fxo.core.plugins.faring import Kind, kind_of
from fxo.core.scope import TenantConfig


@dataclass(frozen=True, slots=True)
class Reader:
    """The administrator who tries, and may get a message."""

    name: str
    mail: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Tried:
    """How it went. No word of the provider's own: what it says may quote people and keys."""

    milliseconds: int
    kind: Kind | None = None
    """How it failed; None where it answered."""
    field: str = ""
    """The setting to mend, where it is one."""
    reason: str = ""
    """Why it refused, as a code of ours."""
    after: float = 0
    """Seconds until it may be asked again, where it says so."""
    sent: bool = False
    """A mail is on its way to the reader."""
    unsent: bool = False
    """It could be made with these settings, and nothing was sent: that would cost money, or reach somebody else."""
    nobody: bool = False
    """Nobody has connected a calendar, so there is nothing to ask for."""


def try_out(providers: Providers, config: TenantConfig, port: PortName, name: str, reader: Reader) -> Tried:
    """Ask the plugin's own check, or make a harmless call of the port; outside a transaction, within the usual time limit."""
    begun = time.perf_counter()
    told: Mapping[str, bool] = {}
    try:
        providers.try_now(config, port, name)
        if not providers.check(config, port, name):
            told = _CALLS[port](providers, config, name, reader)
    except NotConnected:
        told = {"nobody": True}
    except Declined as error:
        return Tried(_since(begun), Kind.BROKE, reason=error.reason)
    except ProviderError as error:
        field = error.field if isinstance(error, Misconfigured) else ""
        return Tried(_since(begun), kind_of(error), field, after=getattr(error, "after", 0.0))
    return Tried(_since(begun), **told)


def _since(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)


def _rank(providers: Providers, config: TenantConfig, name: str, reader: Reader) -> Mapping[str, bool]:
    """An invented brief over two invented records."""
    provider: MatchingProvider = providers.named(config, "matching", name)
    records = [
        PartnerRecord(new_id(), "A. Example", "Security officer", ("CISO",), "Leads the answer to ransomware."),
        PartnerRecord(new_id(), "B. Example", "Technology officer", ("CTO",), "Moves platforms to the cloud."),
    ]
    provider.rank(Brief("Ransomware has locked our servers. Who leads the first week?"), records)
    return {}


def _ask_for_changes(providers: Providers, config: TenantConfig, name: str, reader: Reader) -> Mapping[str, bool]:
    provider: PaymentProvider = providers.named(config, "payments", name)
    provider.list_changed_since(providers.context(config, name).clock())
    return {}


def _read_busy(providers: Providers, config: TenantConfig, name: str, reader: Reader) -> Mapping[str, bool]:
    """The next hour of one expert who has connected a calendar."""
    provider: CalendarProvider = providers.named(config, "calendars", name)
    context = providers.context(config, name)
    people: tuple[UUID, ...] = tuple(context.connections.people())[:1]
    if not people and providers.plugins.specs[plugin_of(name)].oauth:
        raise NotConnected("nobody has connected a calendar here")
    now = context.clock()
    provider.busy_times(people, (now, now + timedelta(hours=1)))
    return {}


def _mail(providers: Providers, config: TenantConfig, name: str, reader: Reader) -> Mapping[str, bool]:
    """A mail to the reader; of what reaches no mailbox only that it can be made, since it may cost or reach a stranger."""
    provider: NotificationProvider = providers.named(config, "notifications", name)
    if Channel.MAIL not in provider.capabilities.channels:
        return {"unsent": True}
    message = Message(
        f"try-{new_id()}@{config.slug}",
        "provider_tried",
        reader.name,
        reader.mail,
        reader.subject,
        reader.text,
        from_name=config.name,
    )
    provider.deliver(message, Channel.MAIL)
    return {"sent": True}


_CALLS: Mapping[PortName, Callable[[Providers, TenantConfig, str, Reader], Mapping[str, bool]]] = {
    "matching": _rank, "calendars": _read_busy, "payments": _ask_for_changes, "notifications": _mail,
}  # fmt: skip
