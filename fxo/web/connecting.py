"""What experts can connect here: calendars that are loaded, and at whose company the platform has an application."""

from __future__ import annotations

from fxo import platform
from fxo.core.errors import Misconfigured
from fxo.core.hookspecs import OAuthSpec


def offered() -> dict[str, OAuthSpec]:
    """The calendars by their provider's name, in the order of these."""
    parts, found = platform.current(), dict[str, OAuthSpec]()
    for name, spec in sorted(parts.plugins.specs.items()):
        if spec.port != "calendars" or spec.oauth is None or (parts.settings.demo and spec.live):
            continue
        try:
            if parts.providers.application(name).client_id:
                found[name] = spec.oauth
        except Misconfigured:
            continue  # without its settings there is nothing to connect to
    return found
