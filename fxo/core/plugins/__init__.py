"""Plugins: loaded once at start, a provider for each tenant, and a guard around every call."""

from fxo.core.hookspecs import OAuthSpec, ProviderSpec
from fxo.core.plugins.announce import booking_requested, forget, health, observe, warm_up
from fxo.core.plugins.calls import Guarded
from fxo.core.plugins.context import Connections, ProviderContext
from fxo.core.plugins.manager import GROUP, PluginError, Plugins, build_plugin_manager, load_alone
from fxo.core.plugins.port import Port
from fxo.core.plugins.providers import Providers, plugin_of, secret_fields
from fxo.core.plugins.resilience import first_answer

__all__ = [
    "GROUP",
    "Connections",
    "Guarded",
    "OAuthSpec",
    "PluginError",
    "Plugins",
    "Port",
    "ProviderContext",
    "ProviderSpec",
    "Providers",
    "booking_requested",
    "build_plugin_manager",
    "first_answer",
    "forget",
    "health",
    "load_alone",
    "observe",
    "plugin_of",
    "secret_fields",
    "warm_up",
]
