"""Providers over calendars of a company outside, at its emulator: as shipped, under a name that the demo's clock allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from uuid import UUID

from pydantic import SecretStr, create_model

from fxo import platform
from fxo.core.calendars import connections
from fxo.core.calendars.consent import Tokens
from fxo.core.clock import system_now
from fxo.core.hookspecs import ProviderSpec
from fxo.core.scope import CODE, system_scope
from fxo.plugins import calendar_google, calendar_microsoft
from tests.emulators.consent import CLIENT, Consent
from tests.emulators.google import Google
from tests.emulators.microsoft import Microsoft
from tests.support.plugins import plugin

GOOGLE, MICROSOFT = "calendar_atgoogle", "calendar_atmicrosoft"


def at_google(google: Google) -> ModuleType:
    """`calendar_google`, with the emulator's addresses in place of Google's."""
    shipped = calendar_google.fxo_register_calendar_provider()
    urls = {"accounts_url": google.url, "oauth_url": google.url, "api_url": google.url}
    return _at(GOOGLE, shipped, urls)


def at_microsoft(microsoft: Microsoft) -> ModuleType:
    """`calendar_microsoft`, with the emulator's addresses in place of Microsoft's."""
    shipped = calendar_microsoft.fxo_register_calendar_provider()
    return _at(MICROSOFT, shipped, {"login_url": microsoft.url, "graph_url": f"{microsoft.url}/v1.0"})


def _at(name: str, shipped: ProviderSpec, urls: dict[str, str]) -> ModuleType:
    given = {"client_id": CLIENT[0], **urls}
    values = {field: (str, value) for field, value in given.items()} | {"client_secret": (SecretStr, SecretStr(CLIENT[1]))}
    emulated = create_model("Emulated", __base__=shipped.settings, **values)  # type: ignore[call-overload]

    def register() -> ProviderSpec:
        return replace(shipped, name=name, settings=emulated, live=False)

    return plugin(name, fxo_register_calendar_provider=register)


def connect(name: str, consent: Consent, partner_id: UUID, mail: str) -> None:
    """This partner has connected this account."""
    said = consent.allow(mail)
    tokens = Tokens(said["access_token"], said["refresh_token"], system_now() + timedelta(seconds=said["expires_in"]))
    store = platform.current().store
    store.run(system_scope("connections"), CODE, connections.keep, partner_id, name, tokens)
